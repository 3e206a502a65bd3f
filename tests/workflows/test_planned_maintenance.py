"""During planned maintenance nothing is changed; what still fires then is looked into anew. Nothing silences it for ever."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import EventType

from opsmend.domain.incident import IncidentState, Outcome
from opsmend.domain.maintenance import LONGEST, Maintenance
from opsmend.workflows.phases.sitting_out import MOST_WINDOWS, SHORTEST_WINDOW
from tests.builders import NOW, a_ref
from tests.workflows.conftest import INCIDENT, MakeWorld, World


def a_window(ends_in: timedelta) -> Maintenance:
    until = datetime.now(UTC) + ends_in
    return Maintenance(declared_on=a_ref("Namespace", "shop"), until_text=until.isoformat(), until=until, reason="new disks")


def moments(state: IncidentState, event: str) -> list[datetime]:
    return [entry.at for entry in state.timeline if entry.event == event]


async def waits(world: World) -> list[timedelta]:
    """How long each window was waited for."""
    history = await world.client.get_workflow_handle(INCIDENT).fetch_history()
    timers = [e for e in history.events if e.event_type == EventType.EVENT_TYPE_TIMER_STARTED]
    told = [e for e in timers if b"planned maintenance" in e.user_metadata.summary.data]
    return [as_timedelta(e.timer_started_event_attributes.start_to_fire_timeout) for e in told]


def as_timedelta(duration: Duration) -> timedelta:
    return duration.ToTimedelta()


@pytest.mark.safety
async def test_nothing_is_changed_before_the_window_ends_and_then_it_is_looked_into_anew(make_world: MakeWorld) -> None:
    world = await make_world(skipping=True)
    world.cluster.windows = [a_window(timedelta(hours=2))]
    await world.alert()
    state = await world.until(lambda s: bool(moments(s, "plan.proposed")), within=60)
    (waiting,), (over,), (proposed,) = (
        moments(state, event) for event in ("maintenance.waiting", "maintenance.over", "plan.proposed")
    )
    assert timedelta(hours=1, minutes=55) < over - waiting < timedelta(hours=2, minutes=5)
    assert proposed >= over
    assert world.cluster.changes == []


async def test_alerts_that_resolve_during_the_window_end_it_and_the_reason_is_said(world: World) -> None:
    world.cluster.windows = [a_window(timedelta(hours=2))]
    await world.alert()
    waiting = await world.until(lambda s: bool(moments(s, "maintenance.waiting")))
    assert waiting.status == "investigating"
    assert waiting.diagnosis is not None
    assert "new disks" in waiting.diagnosis.summary
    await world.alert(status="resolved")
    closed = await world.until_closed()
    assert closed.outcome is Outcome.SELF_RESOLVED
    assert closed.closing.startswith("every alert resolved during planned maintenance")
    assert world.cluster.changes == []


async def test_a_window_that_is_renewed_again_and_again_ends_with_a_person(make_world: MakeWorld) -> None:
    world = await make_world(skipping=True)
    world.cluster.windows = [a_window(timedelta(hours=20)) for _ in range(MOST_WINDOWS + 3)]
    await world.alert()
    closed = await world.until(lambda s: s.status == "closed", within=60)
    assert closed.outcome is Outcome.ESCALATED
    assert f"{MOST_WINDOWS} windows of planned maintenance are over" in closed.closing
    assert len(await waits(world)) == MOST_WINDOWS


@pytest.mark.parametrize(
    ("ends_in", "waited"),
    [
        pytest.param(timedelta(hours=-30), SHORTEST_WINDOW, id="the-investigators-clock-is-behind"),
        pytest.param(timedelta(days=4000), LONGEST, id="the-investigators-clock-is-ahead"),
    ],
)
async def test_clocks_that_differ_do_not_stall_an_incident(
    make_world: MakeWorld, ends_in: timedelta, waited: timedelta
) -> None:
    world = await make_world(skipping=True)
    world.cluster.clock_is_off_by = ends_in
    world.cluster.windows = [a_window(ends_in + timedelta(seconds=30))]
    await world.alert()
    await world.until(lambda s: bool(moments(s, "plan.proposed")), within=60)
    assert await waits(world) == [waited]


async def test_a_window_that_is_not_believed_changes_nothing(world: World) -> None:
    world.cluster.clock_is_off_by = NOW - datetime.now(UTC)
    until = NOW + timedelta(days=3)
    world.cluster.windows = [Maintenance(declared_on=a_ref(), until_text=until.isoformat(), until=until)]
    await world.alert()
    asked = await world.until_asked()
    assert asked.diagnosis is not None
    assert any("more than 24 h from now" in ruled_out.why for ruled_out in asked.diagnosis.ruled_out)
