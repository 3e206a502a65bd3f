"""The main line: alert, diagnosis, plan, approval, one change, verification, post-mortem, memory."""

import pytest

from opsmend.domain.incident import Outcome, Status
from opsmend.domain.ports.chat import MessageRef
from tests.builders import a_decision_request
from tests.workflows.conftest import INCIDENT, World


@pytest.mark.safety
async def test_an_approved_plan_heals_the_workload_with_one_change(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    assert asked.diagnosis is not None
    assert asked.diagnosis.evidence
    assert asked.plan is not None
    assert world.cluster.changes == []

    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    closed = await world.until_closed()

    assert closed.outcome is Outcome.REMEDIATED
    assert world.cluster.well
    assert world.cluster.changes == [f"{asked.plan.hash}#1"]
    assert closed.approval is not None
    assert closed.approval.by.id == "mia"


async def test_the_post_mortem_names_cause_remedy_and_approver_and_is_remembered(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    closed = await world.until(lambda s: any(e.event == "memory.kept" for e in s.timeline))

    assert closed.postmortem is not None
    kept = world.memory.kept[closed.run_id]
    assert kept.category == closed.diagnosis.category if closed.diagnosis else False
    assert "Roll Deployment shop/web back to revision 1" in kept.markdown
    assert "Mia" in kept.markdown
    assert "plan.proposed" in kept.markdown


async def test_the_next_like_incident_recalls_the_first_and_its_plan_cites_it(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    first = await world.until(lambda s: any(e.event == "memory.kept" for e in s.timeline))
    await world.client.get_workflow_handle(INCIDENT).result()

    world.cluster.break_by_rollout()
    await world.alert()
    second = await world.until(lambda s: s.run_id != first.run_id and s.plan is not None)

    assert second.diagnosis is not None
    assert [r.run_id for r in second.diagnosis.recalled] == [first.run_id]
    assert second.plan is not None
    assert any(first.run_id in cited or first.id in cited for cited in second.plan.cites)


async def test_a_healthy_target_ends_with_no_action_and_no_question(world: World) -> None:
    world.cluster.bad = "nothing is bad"
    await world.alert()
    closed = await world.until_closed()

    assert closed.outcome is Outcome.NO_ACTION
    assert closed.plan is None
    assert world.cluster.changes == []


async def test_people_see_one_message_from_first_look_to_outcome(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    closed = await world.until_closed()
    await world.client.get_workflow_handle(INCIDENT).result()

    first, *later = world.chat.notices
    assert (first.state.status, first.message) == (Status.INVESTIGATING, None)
    assert {notice.message for notice in later} == {MessageRef(channel="C1", ts=closed.run_id)}
    assert later[-1].state.outcome is Outcome.REMEDIATED
