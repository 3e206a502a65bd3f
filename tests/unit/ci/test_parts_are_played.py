"""`python -m ci` plays make targets. Here they are those of a Makefile of the test's own."""

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from ci.parts import CORE, HEAVY, PARTS, Part, heavy_part
from ci.play import play

ROOT = Path(__file__).parents[3]
MAKEFILE = """
well:
\t@echo well
broken:
\t@echo broken; exit 3
hangs:
\t@echo begun >> begun; exec tail -f /dev/null
hangs-once:
\t@if [ -e tried ]; then echo well; else touch tried; exec tail -f /dev/null; fi
unsafe-and-hangs:
\t@echo begun >> begun; echo 'SAFETY: twice: 2 changes in the audit'; exec tail -f /dev/null
flaky:
\t@echo 'flaky: load (too late at first, then passed)'
leaves-something:
\t@(trap '' TERM; exec tail -f /dev/null) > left 2>&1 & echo $$! > pid; exec tail -f /dev/null
says-its-pid:
\t@echo $$$$ > pid; exec tail -f /dev/null
tidied:
\t@echo tidied >> tidied.log
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "Makefile").write_text(MAKEFILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def a_part(*targets: str, seconds: float = 60, cleanup: tuple[str, ...] = ()) -> Part:
    return Part("a-part", tuple((target,) for target in targets), timedelta(seconds=seconds), cleanup=cleanup)


def test_a_part_passes_when_all_its_targets_do(capfd: pytest.CaptureFixture[str]) -> None:
    assert play(a_part("well", "well")).outcome == "passed"
    assert capfd.readouterr().out.count("\nwell\n") == 2


def test_the_first_target_that_fails_ends_the_part(capfd: pytest.CaptureFixture[str]) -> None:
    played = play(a_part("broken", "well"))
    assert (played.outcome, played.why) == ("failed", "make broken ended with 2")
    assert "well" not in capfd.readouterr().out


def test_a_part_that_hangs_is_played_once_more_and_named_as_flaky() -> None:
    played = play(a_part("hangs-once", seconds=1))
    assert played.outcome == "passed"
    assert [name.startswith("a-part (ran past its limit") for name in played.flaky] == [True]


def test_a_part_that_hangs_twice_fails(folder: Path) -> None:
    played = play(a_part("hangs", seconds=1))
    assert (played.outcome, played.why) == ("failed", "ran past its limit (0:00:01)")
    assert (folder / "begun").read_text().splitlines() == ["begun", "begun"]


def test_a_part_that_hangs_is_not_played_again_when_no_time_is_left(folder: Path) -> None:
    assert play(a_part("hangs", seconds=1), may_replay=False).outcome == "failed"
    assert (folder / "begun").read_text().splitlines() == ["begun"]


def test_a_part_that_broke_a_safety_check_is_never_played_again(folder: Path) -> None:
    played = play(a_part("unsafe-and-hangs", seconds=1))
    assert (played.outcome, played.why) == ("failed", "broke a safety check: twice: 2 changes in the audit")
    assert (folder / "begun").read_text().splitlines() == ["begun"]


def test_what_a_suite_calls_flaky_is_passed_on() -> None:
    assert play(a_part("flaky")).flaky == ["load (too late at first, then passed)"]


@pytest.mark.parametrize("target", ["well", "broken", "hangs-once"])
def test_a_part_is_tidied_up_after_each_try(target: str, folder: Path) -> None:
    play(a_part(target, seconds=1, cleanup=("tidied",)))
    tries = 2 if target == "hangs-once" else 1
    assert (folder / "tidied.log").read_text().splitlines() == ["tidied"] * tries


def alive(pid: int) -> bool:
    """A moment after it was killed. Nobody may have asked for its exit code yet."""
    _, left = psutil.wait_procs([one for one in psutil.process_iter() if one.pid == pid], timeout=10)
    return any(one.status() != psutil.STATUS_ZOMBIE for one in left)


def test_a_part_that_leaves_something_behind_fails() -> None:
    played = play(a_part("well", cleanup=("broken",)))
    assert (played.outcome, played.why) == ("failed", "make broken did not clean up")


def test_what_a_part_that_hangs_has_started_is_ended_though_it_ignores_sigterm(folder: Path) -> None:
    play(a_part("leaves-something", seconds=1), may_replay=False)
    left = int((folder / "pid").read_text())
    assert not alive(left)


def test_whoever_ends_ci_ends_the_part_that_plays_and_tidies_up(folder: Path) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from datetime import timedelta
from ci import __main__ as ci
from ci.parts import Part
part = Part("a-part", (("says-its-pid",),), timedelta(minutes=1), cleanup=("tidied",))
ci._full = lambda history, parts: ci.play(part)
sys.argv = ["ci", "full"]
ci.main()
"""
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
    while not (folder / "pid").exists() or not (folder / "pid").read_text():
        time.sleep(0.05)
    running.terminate()
    assert running.wait(timeout=60) == 143
    assert (folder / "tidied.log").read_text() == "tidied\n"
    assert not alive(int((folder / "pid").read_text()))


def test_each_commit_has_one_heavy_part_and_all_of_them_get_their_turn() -> None:
    commits = [f"{number:040x}" for number in range(50)]
    assert {heavy_part(commit) for commit in commits} == set(HEAVY)
    assert [heavy_part(commit) for commit in commits] == [heavy_part(commit) for commit in commits]


def test_parts_have_names_of_their_own() -> None:
    assert len({part.name for part in PARTS}) == len(PARTS) == len(CORE) + len(HEAVY)
