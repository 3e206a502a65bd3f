"""Chat or memory may be away when an incident ends: its next outbreak is seen to all the same, and nothing is lost."""

from datetime import timedelta

import pytest

from opsmend.domain.approval import Answer
from opsmend.domain.incident import IncidentState, Outcome, Status
from tests.builders import NOW, a_decision_request
from tests.workflows.conftest import INCIDENT, World

LATER = NOW + timedelta(hours=1)


async def rejected(world: World) -> IncidentState:
    """An outbreak, ended by a no; its alert fires on."""
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan, Answer.REJECT))
    return await world.until_closed()


async def next_outbreak(world: World, first: IncidentState) -> IncidentState:
    await world.alert(starts_at=LATER)
    return await world.until(lambda s: s.run_id != first.run_id and s.status is Status.AWAITING_APPROVAL)


async def over(world: World, starts_at: object = LATER) -> None:
    await world.alert(starts_at=starts_at, status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()


@pytest.mark.parametrize("down", ["memory", "chat"])
async def test_a_part_that_is_down_across_two_outbreaks_holds_up_neither_and_loses_nothing(world: World, down: str) -> None:
    part = world.memory if down == "memory" else world.chat
    part.down = True
    first = await rejected(world)
    second = await next_outbreak(world, first)
    await world.desk.decide(INCIDENT, a_decision_request(second.plan, Answer.REJECT))
    second = await world.until(lambda s: s.run_id == second.run_id and s.status is Status.CLOSED)

    part.down = False
    await over(world)
    await world.client.get_workflow_handle(f"{INCIDENT}:aftermath:{first.run_id}").result()

    assert world.memory.kept.keys() == {first.run_id, second.run_id}
    told = {run: notice.state for run, notice in world.chat.messages.items()}
    assert {run: state.status for run, state in told.items()} == {
        first.run_id: Status.CLOSED,
        second.run_id: Status.CLOSED,
    }
    assert told[first.run_id].closing == first.closing


async def test_a_fix_that_helped_is_remembered_though_the_next_outbreak_came_first(world: World) -> None:
    world.memory.down = True
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    first = await world.until_closed()
    assert first.outcome is Outcome.REMEDIATED
    world.cluster.break_by_rollout()
    second = await next_outbreak(world, first)
    assert any(entry.event == "diagnosis.made" for entry in second.timeline)

    world.memory.down = False
    await world.client.get_workflow_handle(f"{INCIDENT}:aftermath:{first.run_id}").result()
    assert world.memory.kept[first.run_id].outcome == Outcome.REMEDIATED


async def test_an_incident_without_a_next_outbreak_does_its_chores_itself(world: World) -> None:
    world.memory.down = True
    first = await rejected(world)
    world.memory.down = False
    await over(world, NOW)
    assert world.memory.kept.keys() == {first.run_id}
    assert [w async for w in world.client.list_workflows('WorkflowType = "Aftermath"')] == []


async def test_a_question_reaches_people_once_chat_is_back_however_long_it_was_away(world: World) -> None:
    world.chat.down = True
    await world.alert()
    asked = await world.until_asked()
    assert world.chat.messages == {}
    world.chat.down = False
    while asked.run_id not in world.chat.messages or world.chat.messages[asked.run_id].state.plan != asked.plan:
        await world.state()


async def test_an_alert_without_a_start_that_fires_again_is_a_new_outbreak_though_chat_is_down(world: World) -> None:
    """As every alert of Datadog and the README's own example: what tells its outbreaks apart is that it resolved."""
    world.chat.down = True
    await world.alert(starts_at=None)
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan, Answer.REJECT))
    first = await world.until_closed()
    await world.alert(starts_at=None)
    assert (await world.until(lambda s: s.alerts_received == 2)).run_id == first.run_id, "a resend"
    await world.alert(starts_at=None, status="resolved")
    await world.alert(starts_at=None)
    await world.until(lambda s: s.run_id != first.run_id and s.status is Status.AWAITING_APPROVAL)
