"""Whoever cancels the workflow of an incident stops it: what it changed is undone, its locks are free, and people are told."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from temporalio.client import WorkflowExecutionStatus

from opsmend.domain.alert import Alert
from opsmend.domain.approval import Answer
from opsmend.domain.incident import IncidentState, Outcome, Status
from opsmend.domain.target import Kind
from tests.builders import NOW, a_decision_request, a_target
from tests.workflows.conftest import GIVES_UP_SOON, INCIDENT, QUICK, MakeWorld, World
from tests.workflows.fakes import MakesTheChangeAndNeverTells

LOCK: Final = "lock:demo:Deployment shop/web"
SLOW_INTAKE: Final = QUICK.model_copy(update={"intake_window": timedelta(minutes=10)})


class Held:
    """Calls of one method wait here until they may go on."""

    def __init__(self, of: object, method: str) -> None:
        self.reached, self.may_go_on = asyncio.Event(), asyncio.Event()
        call = getattr(of, method)

        async def waits(*args: Any, **kwargs: Any) -> Any:
            self.reached.set()
            await self.may_go_on.wait()
            return await call(*args, **kwargs)

        setattr(of, method, waits)


async def cancelled(world: World, incident: str = INCIDENT) -> IncidentState:
    """The state once it has ended."""
    handle = world.client.get_workflow_handle(incident)
    await handle.cancel()
    return await ended(world, incident)


async def ended(world: World, incident: str = INCIDENT) -> IncidentState:
    handle = world.client.get_workflow_handle(incident)
    async with asyncio.timeout(60):
        while (await handle.describe()).status is WorkflowExecutionStatus.RUNNING:
            await asyncio.sleep(0.05)
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED
    return await world.desk.get(incident)


async def at_intake(world: World) -> None:
    await world.alert()
    await world.until(lambda s: s.alerts_received == 1)


async def at_investigating(world: World) -> None:
    looking = Held(world.cluster, "snapshot")
    await world.alert()
    await looking.reached.wait()


async def at_planning(world: World) -> None:
    reading = Held(world.cluster, "read")
    await world.alert()
    await reading.reached.wait()


async def at_asking(world: World) -> None:
    await world.alert()
    await world.until_asked()


@pytest.mark.parametrize(
    ("reach", "terms"),
    [
        pytest.param(at_intake, {"patience": SLOW_INTAKE}, id="waiting for siblings"),
        pytest.param(at_investigating, {}, id="investigating"),
        pytest.param(at_planning, {}, id="planning"),
        pytest.param(at_asking, {}, id="asking"),
    ],
)
@pytest.mark.safety
async def test_before_anything_was_changed(
    make_world: MakeWorld, reach: Callable[[World], Awaitable[None]], terms: dict[str, Any]
) -> None:
    world = await make_world(**terms)
    await reach(world)
    state = await cancelled(world)
    assert (state.status, state.outcome) == (Status.CLOSED, Outcome.ESCALATED)
    assert "cancelled" in state.closing
    assert "nothing was changed" in state.closing
    assert world.cluster.changes == []
    assert world.chat.messages[state.run_id].state.closing == state.closing
    assert world.memory.kept.keys() == {state.run_id}


async def test_in_line_behind_the_question_of_another_incident(world: World) -> None:
    service = a_target(Kind.SERVICE)
    await at_asking(world)
    await world.alert(target=service)
    await world.until(lambda s: any(e.event == "question.waiting" for e in s.timeline), incident=service.incident_id)
    state = await cancelled(world, service.incident_id)
    assert "nothing was changed" in state.closing
    assert (await world.state()).status is Status.AWAITING_APPROVAL
    assert (await world.client.get_workflow_handle(LOCK).describe()).status is WorkflowExecutionStatus.RUNNING


@pytest.mark.safety
async def test_while_the_plan_is_carried_out(world: World) -> None:
    before = world.cluster.object["spec"]["template"]
    applying = Held(world.cluster, "apply")
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await applying.reached.wait()
    await world.client.get_workflow_handle(INCIDENT).cancel()
    applying.may_go_on.set()
    state = await ended(world)

    assert len(world.cluster.changes) == 2, "it was seen through, and then undone"
    assert world.cluster.object["spec"]["template"] == before
    assert state.outcome is Outcome.ROLLED_BACK
    assert "cancelled" in state.closing
    assert world.chat.messages[state.run_id].state.closing == state.closing


@pytest.mark.safety
async def test_while_the_fix_is_looked_at(world: World) -> None:
    before = world.cluster.object["spec"]["template"]
    plan = await world.until_verifying()
    state = await cancelled(world)

    assert world.cluster.changes == [f"{plan.hash}#1", f"{plan.hash}#undo-1"]
    assert world.cluster.object["spec"]["template"] == before
    assert (state.status, state.outcome) == (Status.CLOSED, Outcome.ROLLED_BACK)
    told = world.chat.messages[state.run_id].state
    assert (told.status, told.closing) == (Status.CLOSED, state.closing)
    assert (await world.client.get_workflow_handle(LOCK).describe()).status is WorkflowExecutionStatus.COMPLETED


@pytest.mark.safety
async def test_while_a_fix_that_did_not_help_is_undone(make_world: MakeWorld) -> None:
    world = await make_world(patience=GIVES_UP_SOON)
    before = world.cluster.object["spec"]["template"]
    undoing = Held(world.cluster, "undo")
    await world.until_verifying()
    await undoing.reached.wait()
    await world.client.get_workflow_handle(INCIDENT).cancel()
    undoing.may_go_on.set()
    state = await ended(world)
    assert world.cluster.object["spec"]["template"] == before
    assert state.outcome is Outcome.ROLLED_BACK


async def test_after_the_end_it_is_let_go(world: World) -> None:
    await at_asking(world)
    asked = await world.state()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan, Answer.REJECT))
    closed = await world.until_closed()
    state = await cancelled(world)
    assert (state.outcome, state.closing) == (closed.outcome, closed.closing)
    assert world.memory.kept.keys() == {closed.run_id}


async def test_people_are_told_later_where_chat_is_away(world: World) -> None:
    await world.until_verifying()
    world.chat.down = True
    state = await cancelled(world)
    assert state.outcome is Outcome.ROLLED_BACK
    world.chat.down = False
    await world.client.get_workflow_handle(f"{INCIDENT}:aftermath:{state.run_id}").result()
    assert world.chat.messages[state.run_id].state.outcome is Outcome.ROLLED_BACK


@pytest.mark.safety
async def test_an_alert_that_came_meanwhile_is_not_lost(world: World) -> None:
    applying = Held(world.cluster, "apply")
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await applying.reached.wait()
    await world.client.get_workflow_handle(INCIDENT).cancel()
    writing = Held(world.memory, "remember")
    applying.may_go_on.set()
    await writing.reached.wait()
    later: Alert = await world.alert(starts_at=NOW + timedelta(hours=1))
    writing.may_go_on.set()
    again = await world.until(lambda s: s.run_id != asked.run_id and s.status is Status.AWAITING_APPROVAL)
    assert [alert.firing for alert in again.alerts] == [later.firing]


async def test_the_reason_is_told(world: World) -> None:
    await at_asking(world)
    handle = world.client.get_workflow_handle(INCIDENT)
    await handle.cancel(reason="mia mends it by hand")
    assert "mia mends it by hand" in (await ended(world)).closing


async def test_an_agents_run_that_somebody_cancels_ends_the_incident_well(world: World) -> None:
    """Not the incident's own workflow, but one below it."""
    await at_investigating(world)
    await world.client.get_workflow_handle(f"{INCIDENT}:sre:1").cancel()
    closed = await world.until_closed()
    assert closed.outcome is Outcome.ESCALATED


@pytest.mark.safety
async def test_what_a_run_of_deployment_did_that_somebody_ended_is_undone(make_world: MakeWorld) -> None:
    cluster = MakesTheChangeAndNeverTells()
    world = await make_world(cluster=cluster)
    before = cluster.object["spec"]["template"]
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await cluster.made.wait()
    await world.client.get_workflow_handle(f"{INCIDENT}:deployment:1").terminate("somebody had enough")
    closed = await world.until(lambda s: s.status is Status.CLOSED, within=60)
    assert closed.outcome is Outcome.ROLLED_BACK, closed.closing
    assert cluster.object["spec"]["template"] == before
