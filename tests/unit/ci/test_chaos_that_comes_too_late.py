"""What `make chaos` plays once more. Each case is told how it ends; nothing of it runs."""

import sys

import pytest
from tests.chaos import __main__ as chaos
from tests.chaos.cases import Case
from tests.chaos.verdict import Verdict


class Told:
    """`ends`: name of a case → what speaks against its tries, one after the other, as (late, unsafe)."""

    namespaces = ("lane-0",)

    def __init__(self, **ends: list[tuple[list[str], list[str]]]) -> None:
        self.played: list[str] = []
        self._ends = {name: iter(tries) for name, tries in ends.items()}

    async def play(self, case: Case, namespace: str) -> tuple[Verdict, list[Case]]:
        self.played.append(case.name)
        late, unsafe = next(self._ends.get(case.name, iter(())), ([], []))
        verdict = Verdict(case.name, case.killed, "-", 0, 0, late=late, unsafe=unsafe)
        points = [] if late else [Case(name="one", killed="worker"), Case(name="two", killed="worker")]
        return verdict, points if case.name == "quiet" else []


LATE: tuple[list[str], list[str]] = (["stood still"], [])


@pytest.fixture(autouse=True)
def _nothing_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chaos, "_alone", lambda shared: iter(()))
    monkeypatch.setattr(chaos, "API_CASES", ())
    monkeypatch.setattr(sys, "argv", ["chaos"])


async def code_of(told: Told, monkeypatch: pytest.MonkeyPatch) -> int:
    async def shared(*arguments: object) -> Told:
        return told

    monkeypatch.setattr(chaos, "_shared", shared)
    return await chaos.main()


async def test_a_quiet_run_that_stands_still_is_played_again_before_its_points_are_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = Told(quiet=[LATE])
    assert await code_of(told, monkeypatch) == 0
    assert told.played == ["quiet", "quiet", "one", "two"]
    assert "flaky: quiet" in capsys.readouterr().out


async def test_a_quiet_run_that_stands_still_twice_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(quiet=[LATE, LATE])
    assert await code_of(told, monkeypatch) == 1
    assert told.played == ["quiet", "quiet"]


async def test_a_second_try_that_breaks_a_safety_check_is_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(one=[LATE, ([], ["2 changes in the audit"])], two=[LATE])
    assert await code_of(told, monkeypatch) == 1
    assert told.played == ["quiet", "one", "two", "one"]
