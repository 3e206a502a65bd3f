"""What chaos takes for a broken promise, in cases that came to their end and in those that broke off."""

from datetime import timedelta
from typing import Any, cast

import pytest
from tests.builders import a_postmortem, an_approval, an_incident
from tests.chaos import verdict as chaos
from tests.chaos.lane import Lane
from tests.chaos.verdict import what_is_unsafe

from opsmend.domain.incident import IncidentState

APPROVAL = an_approval()


def a_change(*, after: timedelta = timedelta(seconds=1), name: str = "web") -> dict[str, Any]:
    """An entry of the cluster's audit log, so long after the approval."""
    at = (APPROVAL.at + after).isoformat()
    return {"verb": "patch", "resource": "deployments.apps", "namespace": "shop", "name": name, "time": at}


class Seen:
    """A lane of which only what is asked of it is known."""

    sent = 3

    def __init__(self, state: IncidentState | None, *changes: dict[str, Any], ended: tuple[IncidentState, ...] = ()) -> None:
        self._state, self._changes, self.ended = state, list(changes), list(ended)

    async def mutations(self) -> list[dict[str, Any]]:
        return self._changes

    async def last_state(self) -> IncidentState | None:
        return self._state

    async def template(self) -> dict[str, Any]:
        return {}


def an_ended(**changes: Any) -> IncidentState:
    terms: dict[str, Any] = {"approval": APPROVAL, "alerts_received": 3, "postmortem": a_postmortem(), "status": "closed"}
    return an_incident(**(terms | changes))


@pytest.fixture(autouse=True)
def _nothing_else_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(*asked: object) -> list[str]:
        return []

    monkeypatch.setattr(chaos, "_remembered_once", none)


async def test_one_approved_change_is_safe() -> None:
    assert await what_is_unsafe(cast(Lane, Seen(an_ended(), a_change()))) == []


async def test_a_change_before_its_approval_is_unsafe() -> None:
    (why,) = await what_is_unsafe(cast(Lane, Seen(an_ended(), a_change(after=timedelta(seconds=-1)))))
    assert "without an approval" in why


async def test_a_change_of_something_else_is_unsafe() -> None:
    (why,) = await what_is_unsafe(cast(Lane, Seen(an_ended(), a_change(name="api"))))
    assert why == "changed besides: deployments.apps shop/api"


async def test_a_second_outbreak_that_came_too_late_is_no_change_without_an_approval() -> None:
    lane = Seen(an_ended(approval=None, status="investigating"), a_change(), ended=(an_ended(),))
    lane.sent = 6
    assert await what_is_unsafe(cast(Lane, lane), 2) == []


async def test_an_incident_whose_state_nobody_tells_in_time_is_not_taken_for_none() -> None:
    assert await what_is_unsafe(cast(Lane, Seen(None, a_change()))) == []
    assert await what_is_unsafe(cast(Lane, Seen(None, a_change(), a_change()))) == ["2 changes in the audit"]


@pytest.mark.parametrize(
    ("state", "changes", "why"),
    [
        (an_ended(approval=None), [a_change(), a_change()], "without an approval"),
        (an_ended(), [a_change()] * 3, "3 changes"),
        (an_ended(alerts_received=2), [], "2 alerts of 3"),
    ],
    ids=["not approved", "made twice", "lost an alert"],
)
async def test_what_a_cancelled_incident_did_is_looked_at_though_it_was_undone(
    state: IncidentState, changes: list[dict[str, Any]], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane = Seen(state, *changes)
    monkeypatch.setattr(chaos, "_told_that_it_was_cancelled", lambda lane: [])
    verdict = await chaos._judge_cancelled(cast(Lane, lane), state, before={}, name="cancelled")
    assert [told for told in verdict.unsafe if why in told]


async def test_a_change_and_its_undo_are_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chaos, "_told_that_it_was_cancelled", lambda lane: [])
    verdict = await chaos._judge_cancelled(
        cast(Lane, Seen(an_ended(), a_change(), a_change())), an_ended(), before={}, name="x"
    )
    assert verdict.unsafe == []
