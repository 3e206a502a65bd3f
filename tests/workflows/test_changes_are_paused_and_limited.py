"""A pause and the limits of change hold right before each change, and undoing is never held back."""

from datetime import timedelta

import pytest

from opsmend.adapters.temporal.change_control import TemporalChangeControl
from opsmend.agents.queues import WORKFLOWS
from opsmend.domain.change_control import ChangeLimits, PauseRequest, ReleaseRequest, ResumeRequest
from opsmend.domain.incident import IncidentState, Outcome
from opsmend.errors import ChangeControlLostError, ChangeControlUnavailableError, NothingToReleaseError, PolicyRefusedError
from opsmend.workflows.change_control import ChangeControlOpened, ChangeControlWorkflow, change_control_id
from tests.builders import a_decision_request, a_person, a_target
from tests.workflows.conftest import GIVES_UP_SOON, INCIDENT, MakeWorld, World
from tests.workflows.servers import SharedTemporal

pytestmark = pytest.mark.safety

MIA = a_person(via="http", id="operator", name="mia")
WEB = "Deployment shop/web"


async def approved(world: World) -> IncidentState:
    """The incident once it is closed, its plan approved."""
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    return await world.until_closed()


async def test_a_pause_refuses_an_approved_step_and_the_incident_goes_to_a_person(world: World) -> None:
    await world.control.pause(PauseRequest(by=MIA, reason="release freeze"))
    closed = await approved(world)
    assert world.cluster.changes == []
    assert closed.outcome is Outcome.ESCALATED
    assert "release freeze" in closed.closing


async def test_investigations_go_on_while_changes_are_paused(world: World) -> None:
    await world.control.pause(PauseRequest(by=MIA))
    await world.alert()
    assert (await world.until_asked()).diagnosis is not None


async def test_after_resume_steps_are_made_again(world: World) -> None:
    await world.control.pause(PauseRequest(by=MIA))
    await world.control.resume(ResumeRequest(by=MIA))
    assert (await approved(world)).outcome is Outcome.REMEDIATED
    assert len(world.cluster.changes) == 1


async def test_the_first_pause_stands_when_another_person_pauses_too(world: World) -> None:
    await world.control.pause(PauseRequest(by=MIA, reason="release freeze"))
    state = await world.control.pause(PauseRequest(by=a_person(via="http", id="operator", name="ben")))
    assert state.pause is not None
    assert (state.pause.by.name, state.pause.reason) == ("mia", "release freeze")


async def test_a_change_made_before_the_pause_is_still_undone_when_it_does_not_help(make_world: MakeWorld) -> None:
    world = await make_world(patience=GIVES_UP_SOON)
    plan = await world.until_verifying()
    await world.control.pause(PauseRequest(by=MIA))
    closed = await world.until_closed()
    assert closed.outcome is Outcome.ROLLED_BACK
    assert world.cluster.changes == [f"{plan.hash}#1", f"{plan.hash}#undo-1"]


async def test_when_it_cannot_be_read_whether_changes_are_paused_nothing_is_changed(world: World) -> None:
    """Somebody ended the workflow that knows it, perhaps while changes were paused."""
    await world.control.pause(PauseRequest(by=MIA))
    await world.client.get_workflow_handle(change_control_id(a_target().cluster)).terminate("by mistake")
    with pytest.raises(ChangeControlLostError):
        await world.control.state()
    closed = await approved(world)
    assert world.cluster.changes == []
    assert closed.outcome is Outcome.ESCALATED
    assert "opsmend resume" in closed.closing
    with pytest.raises(ChangeControlLostError):
        await world.control.release(ReleaseRequest(by=MIA, target=WEB))
    assert (await world.control.resume(ResumeRequest(by=MIA))).pause is None


async def test_after_so_many_remedies_a_target_is_for_people_until_somebody_releases_it(make_world: MakeWorld) -> None:
    world = await make_world(limits=ChangeLimits(remedies_per_target=1))
    assert (await approved(world)).outcome is Outcome.REMEDIATED
    await world.client.get_workflow_handle(INCIDENT).result()

    world.cluster.break_by_rollout()
    closed = await approved(world)
    assert closed.outcome is Outcome.ESCALATED
    assert f"{WEB} was changed by 1 plans" in closed.closing
    assert len(world.cluster.changes) == 1

    await world.control.release(ReleaseRequest(by=MIA, target=WEB))
    assert (await world.control.state()).held == ()


async def test_what_is_not_held_cannot_be_released(world: World) -> None:
    with pytest.raises(NothingToReleaseError, match=WEB):
        await world.control.release(ReleaseRequest(by=MIA, target=WEB))


async def test_whom_policy_does_not_know_may_neither_pause_nor_resume(world: World) -> None:
    eve = a_person(via="slack", id="U666", name="Eve", groups=("marketing",))
    with pytest.raises(PolicyRefusedError):
        await world.control.pause(PauseRequest(by=eve))
    await world.control.pause(PauseRequest(by=MIA))
    with pytest.raises(PolicyRefusedError):
        await world.control.resume(ResumeRequest(by=eve))
    assert (await world.control.state()).pause is not None


async def test_without_a_workflow_worker_the_answer_is_that_it_cannot_be_read(temporal: SharedTemporal) -> None:
    control = TemporalChangeControl(await temporal.client(), a_target().cluster, patience=timedelta(seconds=1))
    with pytest.raises(ChangeControlUnavailableError, match="does a workflow worker run"):
        await control.pause(PauseRequest(by=MIA))


async def test_a_pause_outlives_the_history_of_its_workflow(world: World) -> None:
    cluster = a_target().cluster
    opened = ChangeControlOpened(cluster=cluster, most_events=20)
    first = await world.client.start_workflow(
        ChangeControlWorkflow.run, opened, id=change_control_id(cluster), task_queue=WORKFLOWS
    )
    for _ in range(3):
        await world.control.pause(PauseRequest(by=MIA, reason="release freeze"))
    described = await world.client.get_workflow_handle(first.id).describe()
    assert described.run_id != first.first_execution_run_id
    pause = (await world.control.state()).pause
    assert pause is not None
    assert pause.reason == "release freeze"
