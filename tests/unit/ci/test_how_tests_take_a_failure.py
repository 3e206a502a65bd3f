"""`make test` runs once more what only came too late, and what failed against real parts. A broken safety check it never runs
again, and it ends the run."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TESTS = """
from pathlib import Path

import pytest
from tests.integration.outside.waiting import NotInTimeError
tries = []

def test_wrong_in_the_first_session():
    tried = Path(__file__).with_name("tried")
    if not tried.exists():
        tried.touch()
        raise AssertionError("a namespace of the first try")

def test_slow():
    tries.append(1)
    if len(tries) == 1:
        raise NotInTimeError("not seen within 60 s: a plan")

def test_wrong():
    tries.append(1)
    assert len(tries) > 1, "blamed another"

@pytest.mark.safety
def test_unsafe():
    tries.append(1)
    assert len(tries) > 1, "2 changes"

@pytest.mark.safety
def test_slow_and_safe():
    tries.append(1)
    if len(tries) == 1:
        raise NotInTimeError("not seen within 60 s: the alert")

@pytest.mark.safety
def test_with_a_fault_of_its_own():
    raise KeyError("a process that has gone")

@pytest.fixture
def not_ready():
    assert not "ready"

@pytest.mark.safety
def test_unprepared(not_ready):
    pass

def test_after_it():
    pass
"""


def run(folder: Path, *chosen: str, cached: bool = False, more: Sequence[str] = ()) -> str:
    """What pytest prints of the chosen tests, with the options of `make test` that say what is run again."""
    folder.mkdir(exist_ok=True)
    (folder / "test_them.py").write_text(TESTS)
    (folder / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (too_late,) = re.findall(r"^TOO_LATE := '(.+)'$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    options = ("--config-file", ROOT / "pyproject.toml", "--rootdir", folder, "--reruns", "1", "--only-rerun", too_late)
    argv = [
        sys.executable,
        "-m",
        "pytest",
        *("-p", "xdist.plugin", "-p", "pytest_asyncio.plugin", "-p", "pytest_rerunfailures", "-p", "pytest_timeout"),
        *(("-o", f"cache_dir={folder}/cache") if cached else ("-p", "no:cacheprovider")),
        *options,
        *more,
        *(f"{folder}/test_them.py::test_{name}" for name in chosen),
    ]
    few = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # the others take a second to load
    done = subprocess.run(list(map(str, argv)), cwd=ROOT, env=few, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("folder", ["unit", "workflows"])
@pytest.mark.parametrize("chosen", ["slow", "slow_and_safe"])
def test_what_came_too_late_is_run_once_more_and_named_as_flaky(tmp_path: Path, chosen: str, folder: str) -> None:
    said = run(tmp_path / folder, chosen)
    assert "1 passed" in said
    assert f"flaky: test_them.py::test_{chosen} " in said


@pytest.mark.parametrize("folder", ["contract", "workflows"])
def test_what_failed_against_real_parts_is_run_once_more_and_named_as_flaky(tmp_path: Path, folder: str) -> None:
    said = run(tmp_path / folder, "wrong")
    assert "1 passed" in said
    assert "flaky: test_them.py::test_wrong" in said


def test_what_failed_end_to_end_is_run_once_more_in_a_session_of_its_own(tmp_path: Path) -> None:
    (first, again) = re.findall(r"\$\(WHOLE\)(.*?) \$\(ARGS\)", (ROOT / "Makefile").read_text())
    said = run(tmp_path / "integration", "wrong_in_the_first_session", "after_it", cached=True, more=first.split())
    assert "1 failed, 1 passed" in said
    said = run(tmp_path / "integration", "wrong_in_the_first_session", "after_it", cached=True, more=again.split())
    assert "1 passed, 1 deselected" in said
    assert "flaky: test_them.py::test_wrong_in_the_first_session" in said


def test_how_a_first_try_failed_is_told(tmp_path: Path) -> None:
    assert "blamed another" in run(tmp_path / "workflows", "wrong")


def test_not_even_there_is_a_safety_check_run_again(tmp_path: Path) -> None:
    said = run(tmp_path / "workflows", "unsafe")
    assert "1 failed" in said
    assert "SAFETY: test_them.py::test_unsafe" in said


@pytest.mark.parametrize("more", [(), ("-n", "1")], ids=["alone", "in a worker"])
def test_a_broken_safety_check_is_named_before_the_summary(tmp_path: Path, more: tuple[str, ...]) -> None:
    """On a line of its own, for CI to read. A run that is killed before its summary has named it all the same."""
    said = run(tmp_path, "unsafe", more=more)
    assert said.index("\nSAFETY: test_them.py::test_unsafe\n") < said.index("= FAILURES =")


@pytest.mark.parametrize("chosen", ["wrong", "unsafe"])
def test_what_was_wrong_or_unsafe_is_not_run_again(tmp_path: Path, chosen: str) -> None:
    said = run(tmp_path, chosen)
    assert "1 failed" in said
    assert "flaky:" not in said


@pytest.mark.parametrize("others", [(), ("after_it",)], ids=["the last one", "others after it"])
def test_a_broken_safety_check_is_named_and_ends_the_run(tmp_path: Path, others: tuple[str, ...]) -> None:
    """As interrupted, which pytest tells by 2: what merely failed ends with 1, and end-to-end tries that again (Makefile)."""
    said = run(tmp_path, "unsafe", *others)
    assert "SAFETY: test_them.py::test_unsafe" in said
    assert "Interrupted: a safety check is broken" in said
    assert "passed" not in said


@pytest.mark.parametrize("chosen", ["with_a_fault_of_its_own", "unprepared"])
def test_a_fault_of_the_test_itself_breaks_no_promise(tmp_path: Path, chosen: str) -> None:
    said = run(tmp_path, chosen, "after_it")
    assert "SAFETY" not in said
    assert "1 passed" in said
