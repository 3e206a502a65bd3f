"""A ledger counts every call once, tells kinds of calls apart, and stays small."""

import pytest

from opsmend.domain.call_ledger import MOST_KINDS, CallLedger, CountedCall, told


def a_ledger(*names: str, size: int = 10) -> CallLedger:
    """A call for each pod named."""
    return sum(
        (CallLedger(counted=(CountedCall(verb="get", resource="pods", name=name),), calls=1, bytes=size) for name in names),
        CallLedger(),
    )


def test_the_same_call_is_counted_and_another_is_told_apart() -> None:
    ledger = a_ledger("a", "b", "a") + a_ledger("a")
    assert {entry.name: entry.times for entry in ledger.counted} == {"a": 3, "b": 1}
    assert (ledger.calls, ledger.bytes) == (4, 40)


def test_a_rehearsal_is_not_the_change() -> None:
    change = CountedCall(verb="patch", resource="deployments.apps", namespace="shop", name="web")
    rehearsal = change.model_copy(update={"dry_run": True})
    ledger = CallLedger(counted=(change,), calls=1) + CallLedger(counted=(rehearsal,), calls=1)
    assert [entry.times for entry in ledger.counted] == [1, 1]


def test_what_is_beyond_the_bound_is_counted_all_the_same() -> None:
    ledger = a_ledger(*map(str, range(MOST_KINDS + 5))) + a_ledger("0")
    assert len(ledger.counted) == MOST_KINDS
    assert ledger.calls == MOST_KINDS + 6
    assert ledger.counted[0].times == 2


@pytest.mark.parametrize(
    ("ledgers", "sentence"),
    [
        pytest.param({}, "", id="nobody asked"),
        pytest.param({"sre": CallLedger(calls=15, bytes=98_304)}, "sre 15 calls, 96 KB", id="one agent"),
        pytest.param(
            {"sre": CallLedger(calls=1, bytes=100), "architect": CallLedger(calls=2, bytes=12_300)},
            "sre 1 call, 0 KB; architect 2 calls, 12 KB",
            id="two agents",
        ),
    ],
)
def test_the_sums_are_told_by_agent(ledgers: dict[str, CallLedger], sentence: str) -> None:
    assert told(ledgers) == sentence
