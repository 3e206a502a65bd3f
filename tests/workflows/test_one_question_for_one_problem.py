"""Whoever else finds the same object to blame waits for the answer of who asked first, and looks again after it."""

from datetime import timedelta

from opsmend.agents.queues import WORKFLOWS
from opsmend.domain.approval import Answer
from opsmend.domain.incident import IncidentState, Outcome, Status
from opsmend.domain.target import Kind
from opsmend.workflows.target_lock import TargetLock
from tests.builders import a_decision_request, a_target
from tests.workflows.conftest import INCIDENT, QUICK, MakeWorld, World

SERVICE = a_target(Kind.SERVICE)
LOCK = "lock:demo:Deployment shop/web"


def waits(state: IncidentState) -> bool:
    return any(entry.event == "question.waiting" for entry in state.timeline)


async def a_second_one_waits(world: World) -> IncidentState:
    """The alert of the Service blames the Deployment, about which its own alert's incident asks already; that one's state."""
    await world.alert()
    asked = await world.until_asked()
    await world.alert(target=SERVICE)
    second = await world.until(waits, incident=SERVICE.incident_id)
    assert second.status is Status.INVESTIGATING
    assert LOCK in next(e.detail for e in second.timeline if e.event == "question.waiting")
    return asked


async def test_the_answer_of_one_mends_both_and_the_other_never_asks(world: World) -> None:
    asked = await a_second_one_waits(world)
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    assert (await world.until_closed()).outcome is Outcome.REMEDIATED
    second = await world.until(lambda s: s.status is Status.CLOSED, incident=SERVICE.incident_id)
    assert second.outcome is Outcome.NO_ACTION, second.closing
    assert not any(entry.event == "approval.asked" for entry in second.timeline)
    assert len(world.cluster.changes) == 1


async def test_the_other_asks_once_the_first_was_answered_with_no(world: World) -> None:
    asked = await a_second_one_waits(world)
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan, Answer.REJECT))
    second = await world.until(lambda s: s.status is Status.AWAITING_APPROVAL, incident=SERVICE.incident_id)
    await world.desk.decide(SERVICE.incident_id, a_decision_request(second.plan))
    closed = await world.until(lambda s: s.status is Status.CLOSED, incident=SERVICE.incident_id)
    assert closed.outcome is Outcome.REMEDIATED, closed.closing


async def test_the_other_ends_well_when_its_alert_resolves_while_it_waits(world: World) -> None:
    await a_second_one_waits(world)
    await world.alert(target=SERVICE, status="resolved")
    closed = await world.until(lambda s: s.status is Status.CLOSED, incident=SERVICE.incident_id)
    assert closed.outcome is Outcome.SELF_RESOLVED
    assert (await world.state()).status is Status.AWAITING_APPROVAL


async def test_a_target_that_is_never_let_go_is_left_to_a_person(make_world: MakeWorld) -> None:
    patience = QUICK.model_copy(update={"lock_deadline": timedelta(seconds=1), "expire_after": timedelta(seconds=1)})
    world = await make_world(patience=patience)
    await world.client.start_workflow(TargetLock.run, "somebody else", id=LOCK, task_queue=WORKFLOWS)
    await world.alert()
    closed = await world.until_closed()
    assert closed.outcome is Outcome.ESCALATED
    assert "locked" in closed.closing
    assert world.cluster.changes == []
