"""One problem, one incident: siblings join, resends open nothing, a new outbreak is a new run, a resolved alert ends it."""

from datetime import timedelta

import pytest

from opsmend.domain.approval import Answer
from opsmend.domain.incident import Outcome
from tests.builders import NOW, a_decision_request, a_target, an_alert
from tests.workflows.conftest import INCIDENT, World

pytestmark = pytest.mark.safety


async def test_a_second_alert_of_the_same_target_joins_the_open_incident(world: World) -> None:
    first = await world.desk.submit(a_target(), (an_alert(),))
    second = await world.desk.submit(a_target(), (an_alert(name="HighErrorRate", fingerprint="other", source="datadog"),))

    assert first is not None
    assert second is not None
    assert (first.created, second.created) == (True, False)
    state = await world.until(lambda s: s.alerts_received == 2)
    assert {alert.name for alert in state.alerts} == {"KubePodCrashLooping", "HighErrorRate"}


async def test_resends_are_counted_but_change_nothing(world: World) -> None:
    for _ in range(5):
        await world.alert()
    state = await world.until(lambda s: s.alerts_received == 5)
    assert len(state.alerts) == 1
    assert [e.event for e in state.timeline].count("alert.firing") == 1


async def test_an_alert_that_resolves_while_a_person_is_asked_ends_it_well_and_changes_nothing(world: World) -> None:
    await world.alert()
    await world.until_asked()
    await world.alert(status="resolved")
    closed = await world.until_closed()

    assert closed.outcome is Outcome.SELF_RESOLVED
    assert world.cluster.changes == []


async def test_it_goes_on_while_one_of_two_alerts_still_fires(world: World) -> None:
    await world.alert()
    await world.alert(name="HighErrorRate", fingerprint="other")
    await world.until_asked()
    await world.alert(status="resolved")
    state = await world.until(lambda s: any(a.status == "resolved" for a in s.alerts))
    assert state.outcome is None
    await world.desk.decide(INCIDENT, a_decision_request(state.plan))
    assert (await world.until_closed()).outcome is Outcome.REMEDIATED


async def test_a_resolved_alert_alone_opens_nothing(world: World) -> None:
    assert await world.desk.submit(a_target(), (an_alert(status="resolved"),)) is None


@pytest.mark.parametrize("ended", [Outcome.ESCALATED, Outcome.NO_ACTION])
async def test_a_resend_of_the_same_firing_opens_nothing_new_after_it_ended(world: World, ended: Outcome) -> None:
    if ended is Outcome.NO_ACTION:
        world.cluster.bad = "nothing is bad"
    await world.alert()
    if ended is Outcome.ESCALATED:
        asked = await world.until_asked()
        await world.desk.decide(INCIDENT, a_decision_request(asked.plan, Answer.REJECT))
    closed = await world.until_closed()
    assert closed.outcome is ended

    receipt = await world.desk.submit(a_target(), (an_alert(),))

    assert receipt is not None
    assert not receipt.created
    after = await world.until(lambda s: s.alerts_received == 2)
    assert (after.run_id, after.outcome) == (closed.run_id, ended)


async def test_a_new_outbreak_after_it_ended_is_a_new_run_of_the_same_incident(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan, Answer.REJECT))
    closed = await world.until_closed()

    await world.alert(starts_at=NOW + timedelta(hours=1))

    again = await world.until(lambda s: s.run_id != closed.run_id and s.plan is not None)
    assert again.id == closed.id
    assert again.outcome is None
    listed = {row.run_id: row.outcome for row in await world.listed_with(again.run_id)}
    assert listed[again.run_id] is None


async def test_an_escalated_incident_ends_once_its_alert_resolves(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan, Answer.REJECT))
    await world.until_closed()
    await world.alert(status="resolved")
    result = await world.client.get_workflow_handle(INCIDENT).result()
    assert result["outcome"] == Outcome.ESCALATED


async def test_an_alert_without_a_target_goes_to_a_person_at_once(world: World) -> None:
    target = a_target("Group", "abc123")
    await world.desk.submit(target, (an_alert(target=target),))
    closed = await world.until(lambda s: s.outcome is not None, incident=target.incident_id)
    assert closed.outcome is Outcome.ESCALATED
    assert "no target" in closed.closing
