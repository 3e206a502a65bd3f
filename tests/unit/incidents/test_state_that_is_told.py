"""An incident can always be looked at, whatever was sent to it."""

import pytest
from tests.builders import a_diagnosis, a_plan, a_step, ago, an_alert, an_incident_awaiting_approval
from tests.desk_in_memory import DeskInMemory
from tests.unit.api.api_client import a_client

from opsmend.domain.incident import IncidentState, TimelineEntry
from opsmend.domain.state_size import TOLD_LIMIT, fitting

WIDE = "\U0001f4a5"
"""A character of four bytes."""


def flooded(**more: object) -> IncidentState:
    """By a version that kept whatever was sent: 20 alerts with 64 annotations of 4096 characters."""
    texts = {f"note-{n}": WIDE * 4096 for n in range(64)}
    alerts = tuple(an_alert(fingerprint=str(n), annotations=texts | {"summary": "s" * 4096}) for n in range(20))
    timeline = tuple(TimelineEntry(at=ago(minutes=1), event="alert.firing", detail=WIDE * 4096) for _ in range(100))
    return an_incident_awaiting_approval(alerts=alerts, timeline=timeline, **more)


def test_a_state_of_ordinary_size_is_told_as_it_is() -> None:
    state = an_incident_awaiting_approval()
    assert fitting(state) is state


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="alerts"),
        pytest.param({"plan": a_plan(a_step(diff="-old\n+new\n" * 500_000))}, id="a diff"),
        pytest.param({"diagnosis": a_diagnosis(unseen=("x" * 2_000,) * 5_000)}, id="a diagnosis"),
    ],
)
def test_whatever_was_sent_the_state_can_be_told(more: dict[str, object]) -> None:
    told = fitting(flooded(**more))
    assert len(told.model_dump_json().encode()) <= TOLD_LIMIT + 1_000
    assert (told.id, told.status, len(told.alerts)) == (flooded().id, flooded().status, 20)
    assert told.plan
    assert told.timeline[-1].event == "state.cut"


async def test_the_api_answers_with_less_than_two_megabytes() -> None:
    state = fitting(flooded())
    async with a_client(DeskInMemory(state)) as client:
        shown = await client.get(f"/v1/incidents/{state.id}")
        why = await client.get(f"/v1/incidents/{state.id}/explain")
    assert (shown.status_code, why.status_code) == (200, 200)
    assert max(len(shown.content), len(why.content)) < 2_000_000


def test_a_cut_state_keeps_the_hash_that_is_asked_about() -> None:
    state = flooded()
    assert state.plan
    told = fitting(state)
    assert told.plan
    assert told.plan.hash == state.plan.hash
