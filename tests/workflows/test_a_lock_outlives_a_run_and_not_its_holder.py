"""One mutator per target, however long its holder lives; and nobody waits for a holder that is gone."""

import asyncio
from datetime import timedelta
from typing import Final

import pytest
from temporalio.client import WorkflowExecutionStatus

from opsmend.adapters.temporal.runs import TemporalRuns
from opsmend.adapters.temporal.watchdog import start_watchdog
from opsmend.agents.queues import WORKFLOWS
from opsmend.domain.approval import Answer
from opsmend.domain.incident import Outcome, Status
from opsmend.domain.target import Kind
from opsmend.errors import TemporalUnavailableError
from opsmend.workflows.target_lock import TargetLock
from opsmend.workflows.watchdog import WatchdogRequest
from tests.builders import a_decision_request, a_target
from tests.workflows.conftest import INCIDENT, MakeWorld, World

LOCK: Final = "lock:demo:Deployment shop/web"
SERVICE: Final = a_target(Kind.SERVICE)
BRISK: Final = WatchdogRequest(every=timedelta(milliseconds=200))


async def sent_until_taken(world: World) -> None:
    """While a run is being continued Temporal takes no signal: the webhook answers 503, and the sender tries again."""
    while True:
        try:
            await world.alert()
        except TemporalUnavailableError:
            continue
        return


async def lock_runs(world: World) -> list[WorkflowExecutionStatus | None]:
    return [run.status async for run in world.client.list_workflows(f"WorkflowId = '{LOCK}'")]


@pytest.mark.timeout(300)
async def test_thousands_of_resends_leave_one_holder_and_one_question(make_world: MakeWorld) -> None:
    world = await make_world(longest_history=600)
    await world.alert()
    asked = await world.until_asked()
    await world.alert(target=SERVICE)
    await world.until(lambda s: any(e.event == "question.waiting" for e in s.timeline), incident=SERVICE.incident_id)

    for _ in range(0, 2_000, 50):
        await asyncio.gather(*(sent_until_taken(world) for _ in range(50)))
    state = await world.until(lambda s: s.alerts_received >= 2_001, within=200)

    runs = [run async for run in world.client.list_workflows(f"WorkflowId = '{INCIDENT}'")]
    continued = [run for run in runs if run.status is WorkflowExecutionStatus.CONTINUED_AS_NEW]
    assert len(continued) >= 2
    assert (state.run_id, state.plan) == (asked.run_id, asked.plan)
    assert await lock_runs(world) == [WorkflowExecutionStatus.RUNNING], "the lock that it took at first, and no other"
    waiting = await world.desk.get(SERVICE.incident_id)
    assert not any(entry.event == "approval.asked" for entry in waiting.timeline)

    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    closed = await world.until_closed()
    assert closed.outcome is Outcome.REMEDIATED, closed.closing
    assert len(world.cluster.changes) == 1


async def test_terminating_the_holder_frees_its_lock(world: World) -> None:
    await start_watchdog(world.client, timedelta(seconds=5), BRISK)
    await world.alert()
    await world.until_asked()
    await world.alert(target=SERVICE)
    await world.until(lambda s: any(e.event == "question.waiting" for e in s.timeline), incident=SERVICE.incident_id)
    assert (await world.client.get_workflow_handle(LOCK).describe()).status is WorkflowExecutionStatus.RUNNING

    await world.client.get_workflow_handle(INCIDENT).terminate("somebody had enough")
    asked = await world.until(lambda s: s.status is Status.AWAITING_APPROVAL, incident=SERVICE.incident_id, within=60)
    assert asked.plan is not None


async def test_a_lock_of_a_holder_that_was_followed_by_another_incident_is_freed(world: World) -> None:
    """The id runs again, but it is not the holder that runs."""
    await world.alert()
    await world.until_asked()
    await world.client.get_workflow_handle(INCIDENT).terminate("somebody had enough")
    world.cluster.bad = "nothing is bad"
    await world.alert()
    await world.until_closed()
    assert await TemporalRuns(world.client).free_locks_of_the_gone() == (LOCK,)


@pytest.mark.parametrize("continued", [False, True], ids=["in its first run", "in a later run"])
async def test_a_lock_that_is_held_is_left_alone(make_world: MakeWorld, continued: bool) -> None:
    world = await make_world(longest_history=120)
    await world.alert()
    await world.until_asked()
    while continued and not (await world.state()).now_in:
        await world.alert()
    assert await TemporalRuns(world.client).free_locks_of_the_gone() == ()
    assert await lock_runs(world) == [WorkflowExecutionStatus.RUNNING]


async def test_a_lock_that_somebody_started_by_hand_is_left_alone(world: World) -> None:
    await world.client.start_workflow(TargetLock.run, "a person", id="lock:x", task_queue=WORKFLOWS)
    assert await TemporalRuns(world.client).free_locks_of_the_gone() == ()


async def test_a_lock_that_somebody_ended_by_hand_does_not_hinder_its_holder(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.client.get_workflow_handle(LOCK).terminate("let others")
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan, Answer.REJECT))
    closed = await world.until_closed()
    assert "rejected" in closed.closing
