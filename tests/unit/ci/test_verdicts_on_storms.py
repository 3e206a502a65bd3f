"""Which end of a storm is wrong, and which is a broken promise."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from tests.storms.storm import Account
from tests.storms.verdict import judged

Json = dict[str, Any]


def an_incident(name: str, *, status: str = "investigating", event: str = "cause.grouped", changes: str = "") -> Json:
    action = {"target": {"namespace": "shop", "name": changes}}
    return {
        "status": status,
        "target": {"namespace": "shop", "name": name},
        "timeline": [{"event": "alert.firing"}, {"event": event}],
        "plan": {"actions": [action]} if changes else None,
        "alerts_received": 2,
    }


WAITS = an_incident("c")
ASKS = an_incident("a", status="awaiting_approval", event="question.asked", changes="orders")
OTHER = an_incident("other", status="awaiting_approval", event="question.asked", changes="other")
WELL = Account(
    targets=frozenset("abc"),
    unrelated=frozenset({"other"}),
    late=frozenset("bc"),
    settled={"a": ASKS, "b": WAITS, "c": WAITS, "other": OTHER},
    seconds=1.0,
    ended={"a": {"outcome": "remediated"}, "b": {"outcome": "self_resolved"}, "c": {"outcome": "no_action"}},
    calls=Counter(a=20, b=2, c=1, other=20),
    notified=(2, 2),
    changed=((), ("shop/orders",)),
)


def with_(**settled: Json) -> Account:
    return replace(WELL, settled=WELL.settled | settled)


def test_one_question_and_all_others_wait() -> None:
    verdict = judged("registry", WELL)
    assert (verdict.wrong, verdict.unsafe) == ([], [])
    assert (verdict.grouped, verdict.questions, verdict.notified, verdict.most_calls, verdict.calls) == (2, 1, 2, 2, 23)


@pytest.mark.parametrize(
    ("account", "why"),
    [
        pytest.param(with_(b=an_incident("b", status="closed", event="incident.closed")), "wait for nobody: a, b", id="alone"),
        pytest.param(with_(b=ASKS), "2 questions about the cause", id="asks too"),
        pytest.param(with_(other=WAITS), "no question of its own: other", id="swallowed"),
        pytest.param(
            with_(other=an_incident("other", status="awaiting_approval", changes="orders")), "of its own", id="other's"
        ),
        pytest.param(replace(WELL, calls=Counter(b=3)), "more than 2 calls though the cause was known: b", id="calls"),
        pytest.param(replace(WELL, notified=(3, 3)), "3 messages notified, not 2", id="noise"),
        pytest.param(replace(WELL, notified=(2, 5)), "5 messages notified in the end", id="noise in the end"),
        pytest.param(replace(WELL, ended=WELL.ended | {"b": {"outcome": "escalated"}}), "did not end well", id="end"),
    ],
)
def test_what_is_wrong(account: Account, why: str) -> None:
    verdict = judged("registry", account)
    assert any(why in sentence for sentence in verdict.wrong), verdict.wrong


@pytest.mark.parametrize(
    ("account", "why"),
    [
        pytest.param(replace(WELL, changed=(("shop/orders",), ("shop/orders",))), "without approval", id="early"),
        pytest.param(replace(WELL, changed=((), ("shop/orders", "shop/orders"))), "instead of shop/orders", id="twice"),
        pytest.param(replace(WELL, changed=((), ("shop/a",))), "changed shop/a instead of shop/orders", id="beside"),
        pytest.param(replace(WELL, changed=((), ())), "instead of shop/orders", id="not at all"),
        pytest.param(with_(c=WAITS | {"alerts_received": 0}), "alerts lost: c", id="lost"),
    ],
)
def test_what_is_a_broken_promise(account: Account, why: str) -> None:
    verdict = judged("registry", account)
    assert any(why in sentence for sentence in verdict.unsafe), verdict.unsafe
