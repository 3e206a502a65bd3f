"""ci/results.json must name a recent, passed run of every part, on a commit of this history."""

import subprocess
from pathlib import Path

import pytest
from pydantic import ValidationError

from ci import __main__ as ci
from ci.history import History
from ci.parts import PARTS, Part, part_named
from ci.play import Played
from ci.results import OLDEST, Entry, Results, complaints, read, record


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    return subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path) -> str:
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "a commit")
    return git(folder, "rev-parse", "HEAD")


def passed_on(commit: str) -> Results:
    return Results({"drills": Entry(commit=commit, seconds=600, outcome="passed")})


def test_a_recent_entry_that_passed_is_no_complaint(repository: Path) -> None:
    ran_on = commit(repository)
    for _ in range(OLDEST):
        commit(repository)
    assert complaints(passed_on(ran_on), ["drills"], History(repository)) == []


def test_an_entry_that_is_too_old_names_the_command_that_renews_it(repository: Path) -> None:
    ran_on = commit(repository)
    for _ in range(OLDEST + 1):
        commit(repository)
    (complaint,) = complaints(passed_on(ran_on), ["drills"], History(repository))
    assert f"{OLDEST + 1} commits ago" in complaint
    assert "make full PARTS=drills" in complaint


def test_a_part_without_an_entry_is_a_complaint(repository: Path) -> None:
    (complaint,) = complaints(Results({}), ["drills"], History(repository))
    assert complaint.startswith("drills has no entry")


def test_a_failure_is_a_complaint_with_its_reason(repository: Path) -> None:
    entry = Entry(commit=commit(repository), seconds=60, outcome="failed", why="make drills ended with 2")
    (complaint,) = complaints(Results({"drills": entry}), ["drills"], History(repository))
    assert "make drills ended with 2" in complaint


def test_a_commit_of_another_history_is_a_complaint(repository: Path) -> None:
    kept = git(repository, "rev-parse", "HEAD")
    elsewhere = commit(repository)
    git(repository, "reset", "--quiet", "--hard", kept)
    (complaint,) = complaints(passed_on(elsewhere), ["drills"], History(repository))
    assert "no ancestor" in complaint


def test_a_run_is_recorded_in_the_place_of_the_older_one(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    record(Played("drills", "failed", 12.4, why="make drills ended with 2"), "a" * 40, file)
    record(Played("chaos", "passed", 300.6), "b" * 40, file)
    record(Played("drills", "passed", 600.2, flaky=["load"]), "c" * 40, file)
    assert read(file).root == {
        "chaos": Entry(commit="b" * 40, seconds=301, outcome="passed"),
        "drills": Entry(commit="c" * 40, seconds=600, outcome="passed", flaky=("load",)),
    }


def test_a_part_that_was_skipped_keeps_its_older_entry(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    record(Played("drills", "passed", 600), "a" * 40, file)
    record(Played("drills", "skipped", 0), "b" * 40, file)
    assert read(file).root["drills"].commit == "a" * 40


def test_what_the_parts_write_themselves_is_no_uncommitted_change(repository: Path) -> None:
    (repository / "ci").mkdir()
    for name in ("ci/results.json", "code.py"):
        (repository / name).write_text("1")
    git(repository, "add", ".")
    commit(repository)
    (repository / "ci/results.json").write_text("2")
    assert History(repository).uncommitted() == []
    (repository / "code.py").write_text("2")
    assert History(repository).uncommitted() == ["code.py"]


def test_a_shallow_clone_knows_that_it_is_one(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    commit(repository)
    clone = tmp_path_factory.mktemp("clone")
    git(clone, "clone", "--quiet", "--depth", "1", repository.as_uri(), ".")
    assert History(clone).is_shallow()
    assert not History(repository).is_shallow()


def test_a_failure_is_a_complaint_in_a_shallow_clone_too(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    commit(repository)
    clone = tmp_path_factory.mktemp("clone")
    git(clone, "clone", "--quiet", "--depth", "1", repository.as_uri(), ".")
    entry = Entry(commit="a" * 40, seconds=60, outcome="failed", why="broke a safety check")
    assert complaints(Results({"drills": entry}), ["drills"], History(clone))
    assert complaints(passed_on("a" * 40), ["drills"], History(clone)) == []


def test_an_entry_names_a_whole_hash() -> None:
    with pytest.raises(ValidationError):
        passed_on("HEAD")


def test_a_file_that_git_does_not_know_is_an_uncommitted_change(repository: Path) -> None:
    (repository / "conftest.py").write_text("1")
    assert History(repository).uncommitted() == ["conftest.py"]


@pytest.fixture
def no_lab(monkeypatch: pytest.MonkeyPatch) -> list[Played]:
    """What is recorded of a CI whose parts all pass, on a machine that cannot run the lab."""
    recorded: list[Played] = []
    monkeypatch.setattr(ci, "_no_lab_here", lambda: True)
    monkeypatch.setattr(ci, "play", lambda part, may_replay=True: Played(part.name, "passed", 1))
    monkeypatch.setattr(ci, "record", lambda played, commit: recorded.append(played))
    return recorded


def test_of_a_part_that_this_machine_cannot_play_the_entry_counts(
    repository: Path, no_lab: list[Played], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = Entry(commit=commit(repository), seconds=60, outcome="passed")
    known = {part.name: entry for part in PARTS}
    monkeypatch.setattr(ci, "read", lambda: Results(known))
    assert ci._run(History(repository)) == 0
    known["drills-core"] = entry.model_copy(update={"outcome": "failed", "why": "broke a safety check"})
    assert ci._run(History(repository)) == 1


def test_nothing_is_recorded_of_a_checkout_that_changed_meanwhile(
    repository: Path, no_lab: list[Played], monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(part: Part, may_replay: bool = True) -> Played:
        commit(repository)
        return Played(part.name, "passed", 1)

    monkeypatch.setattr(ci, "play", play)
    assert ci._full(History(repository), [part_named("tests")]) == 1
    assert no_lab == []


def test_the_documentation_has_a_line_for_each_part() -> None:
    text = (Path(__file__).parents[3] / "docs" / "ci.md").read_text()
    assert [part.name for part in PARTS if f"| `{part.name}` |" not in text] == [], "each part needs a row there"
