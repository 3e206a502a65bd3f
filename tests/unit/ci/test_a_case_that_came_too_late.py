"""A case that only came too late is played once more. A broken safety check ends the suite, whatever else came too late."""

from dataclasses import dataclass, field

import pytest
from tests.tally import Tally


@dataclass
class Seen:
    name: str
    wrong: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    unsafe: list[str] = field(default_factory=list)


def tally(*verdicts: Seen) -> Tally[Seen]:
    taken: Tally[Seen] = Tally(lambda verdict: None)
    for verdict in verdicts:
        taken.take(verdict)
    return taken


def test_what_only_came_too_late_is_played_again() -> None:
    assert tally(Seen("slow", late=["no plan in 60 s"]), Seen("well")).to_play_again() == ["slow"]


def test_what_was_wrong_is_not_played_again_though_something_came_too_late_as_well() -> None:
    assert tally(Seen("wrong", wrong=["blamed another"], late=["not healed"])).to_play_again() == []


def test_after_a_broken_safety_check_nothing_is_played_again() -> None:
    taken = tally(Seen("slow", late=["no plan in 60 s"]), Seen("twice", unsafe=["2 changes"]))
    assert taken.is_unsafe
    assert taken.to_play_again() == []


def test_a_broken_safety_check_is_named_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever kills the suite a moment later must have heard of it: else all of it is played once more."""
    tally(Seen("twice", unsafe=["2 changes"]))
    assert capsys.readouterr().out == "SAFETY: twice: 2 changes\n"


def test_a_second_try_that_passes_is_no_failure_and_is_named_as_flaky() -> None:
    taken = tally(Seen("slow", late=["no plan in 60 s"]), Seen("slow"))
    assert taken.failures == []
    assert taken.closing_lines() == ["flaky: slow (too late at first, then passed)", "1 passed, 0 failed"]


def test_a_second_try_that_is_too_late_again_is_a_failure() -> None:
    taken = tally(Seen("slow", late=["no plan in 60 s"]), Seen("slow", late=["no plan in 60 s"]))
    assert [verdict.name for verdict in taken.failures] == ["slow"]
    assert taken.closing_lines() == ["failed: slow: no plan in 60 s", "0 passed, 1 failed"]


def test_each_try_is_told_at_once() -> None:
    told: list[Seen] = []
    taken: Tally[Seen] = Tally(told.append)
    first, second = Seen("slow", late=["no plan in 60 s"]), Seen("slow")
    taken.take(first)
    assert told == [first]
    taken.take(second)
    assert told == [first, second]
