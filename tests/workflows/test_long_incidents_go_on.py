"""An incident whose history grows long goes on in a new run: the same question, the same locks, the same message."""

from datetime import timedelta
from itertools import pairwise
from typing import Final

import pytest
from temporalio.client import WorkflowExecutionStatus

from opsmend.domain.approval import Answer
from opsmend.domain.incident import IncidentState, Outcome, Status
from opsmend.domain.shared_cause import CauseKind
from opsmend.domain.steering import WrongDiagnosis
from opsmend.domain.target import Kind
from opsmend.errors import PlanHashStaleError
from opsmend.workflows.phases import grouping
from tests.builders import NOW, a_decision_request, a_person, a_target
from tests.workflows.conftest import INCIDENT, QUICK, MakeWorld, World
from tests.workflows.fakes import LosesItsNode
from tests.workflows.shared_causes import TARGETS, SharesACause, grouped, the_registry_is_away, until_known

LONGEST: Final = 140
"""Events. An incident has some seventy when it asks."""

LOCK: Final = "lock:demo:Deployment shop/web"


async def resent_until_it_goes_on(world: World, incident: str = INCIDENT, runs: int = 1, **alert: object) -> IncidentState:
    """Resend by resend, each alone, until so many runs have been continued."""
    before = (await world.desk.get(incident)).now_in
    for _ in range(runs):
        state = await world.desk.get(incident)
        while state.now_in == before:
            await world.alert(**alert)
            state = await world.desk.get(incident)
        before = state.now_in
    return state


async def runs_of(world: World, workflow_id: str) -> list[WorkflowExecutionStatus]:
    """Oldest first."""
    runs = [run async for run in world.client.list_workflows(f"WorkflowId = '{workflow_id}'")]
    return [run.status for run in sorted(runs, key=lambda run: run.start_time) if run.status]


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world(longest_history=LONGEST)


async def test_a_question_goes_on_and_its_answer_is_carried_out(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    held = (await world.client.get_workflow_handle(LOCK).describe()).run_id
    state = await resent_until_it_goes_on(world, runs=2)

    assert (state.run_id, state.status, state.plan) == (asked.run_id, Status.AWAITING_APPROVAL, asked.plan)
    assert state.now_in != asked.run_id
    assert state.alerts_received > 10
    assert [e for e in state.timeline if e.event != "alert.firing"] == [e for e in asked.timeline if e.event != "alert.firing"]
    lock = await world.client.get_workflow_handle(LOCK).describe()
    assert (lock.run_id, lock.status) == (held, WorkflowExecutionStatus.RUNNING)

    with pytest.raises(PlanHashStaleError):
        await world.desk.decide(INCIDENT, a_decision_request(asked.plan).model_copy(update={"plan_hash": "0" * 64}))
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    closed = await world.until_closed()
    assert closed.outcome is Outcome.REMEDIATED, closed.closing
    assert len(world.cluster.changes) == 1
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()
    assert list(world.chat.messages) == [asked.run_id], "one message"
    assert world.chat.messages[asked.run_id].state.outcome is Outcome.REMEDIATED
    assert (await world.client.get_workflow_handle(LOCK).describe()).status is WorkflowExecutionStatus.COMPLETED


async def test_it_is_one_incident_to_whoever_lists_or_asks_for_one_of_its_runs(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    first, second = asked.run_id, (await resent_until_it_goes_on(world)).now_in
    now = await resent_until_it_goes_on(world)

    rows = await world.listed_with(now.now_in)
    assert [(row.run_id, row.status) for row in rows] == [(now.now_in, Status.AWAITING_APPROVAL)]
    for run in (first, second, now.now_in, None):
        found = await world.desk.get(INCIDENT, run)
        assert (found.run_id, found.now_in, found.status) == (first, now.now_in, Status.AWAITING_APPROVAL)


async def test_the_deadlines_of_a_question_are_those_that_it_began_with(make_world: MakeWorld) -> None:
    remind, escalate, expire = timedelta(seconds=1), timedelta(seconds=12), timedelta(seconds=14)
    patience = QUICK.model_copy(update={"remind_after": remind, "escalate_after": escalate, "expire_after": expire})
    world = await make_world(longest_history=LONGEST, patience=patience)
    await world.alert()
    await world.until_asked()
    await world.until(lambda s: any(e.event == "approval.reminded" for e in s.timeline))
    await resent_until_it_goes_on(world)
    closed = await world.until(lambda s: s.status is Status.CLOSED, within=40)
    when = [(e.event, e.at) for e in closed.timeline if e.event.startswith("approval.")]
    assert [event for event, _ in when] == ["approval.asked", "approval.reminded", "approval.escalated", "approval.expired"]
    assert when[2][1] - when[0][1] >= escalate
    assert closed.escalations == 1


async def test_memory_forgets_a_wrong_diagnosis_of_an_incident_that_went_on(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await resent_until_it_goes_on(world)
    await world.steering.mark_wrong(INCIDENT, None, WrongDiagnosis(by=a_person(via="http", id="operator")))
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await world.client.get_workflow_handle(INCIDENT).result()
    assert world.memory.kept == {}


async def test_whoever_waits_in_line_goes_on_to_wait_and_looks_again(world: World) -> None:
    service = a_target(Kind.SERVICE)
    await world.alert()
    asked = await world.until_asked()
    await world.alert(target=service)
    await world.until(lambda s: any(e.event == "question.waiting" for e in s.timeline), incident=service.incident_id)
    await resent_until_it_goes_on(world, service.incident_id, target=service)
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan, Answer.REJECT))
    second = await world.until(lambda s: s.status is Status.AWAITING_APPROVAL, incident=service.incident_id, within=60)
    await world.desk.decide(service.incident_id, a_decision_request(second.plan))
    closed = await world.until(lambda s: s.status is Status.CLOSED, incident=service.incident_id)
    assert closed.outcome is Outcome.REMEDIATED, closed.closing


async def test_whoever_waits_for_a_lost_node_goes_on_to_wait(make_world: MakeWorld) -> None:
    world = await make_world(longest_history=LONGEST, cluster=LosesItsNode())
    await world.alert()
    waits = await world.until(lambda s: any(e.event == "node.waiting" for e in s.timeline))
    state = await resent_until_it_goes_on(world)
    assert [e.event for e in state.timeline] == [e.event for e in waits.timeline]
    await world.alert(status="resolved")
    assert (await world.until_closed()).outcome is Outcome.SELF_RESOLVED


async def test_whoever_is_closed_goes_on_to_listen(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan, Answer.REJECT))
    closed = await world.until_closed()
    state = await resent_until_it_goes_on(world)
    assert (state.run_id, state.outcome, state.postmortem) == (closed.run_id, Outcome.ESCALATED, closed.postmortem)
    assert len(await world.listed_with(state.now_in)) == 1

    await world.alert(starts_at=NOW + timedelta(hours=1))
    again = await world.until(lambda s: s.run_id != closed.run_id and s.status is Status.AWAITING_APPROVAL)
    assert again.now_in == ""
    assert {row.run_id for row in await world.listed_with(again.run_id)} == {state.now_in, again.run_id}


async def test_guests_of_a_node_are_carried_along(make_world: MakeWorld) -> None:
    cluster = LosesItsNode()
    world = await make_world(longest_history=LONGEST, cluster=cluster)
    node, guest = a_target(Kind.NODE, "node-1", ""), a_target(node="node-1")
    await world.alert(target=node)
    await world.alert(target=guest)
    await world.until(lambda s: s.status is Status.CLOSED and s.alerts_received == 2, incident=node.incident_id)
    state = await resent_until_it_goes_on(world, node.incident_id, target=node)
    assert {alert.target for alert in state.alerts} == {node, guest}


@pytest.mark.parametrize("closed", [False, True], ids=["while it asks", "after the end"])
async def test_a_resend_that_arrives_alone_is_four_events(world: World, closed: bool) -> None:
    """The signal, and the task that takes it: scheduled, started, completed."""
    await world.alert()
    asked = await world.until_asked()
    if closed:
        await world.desk.decide(INCIDENT, a_decision_request(asked.plan, Answer.REJECT))
        await world.until_closed()
        while INCIDENT not in {p.incident_id for p in world.memory.kept.values()}:
            await world.state()
    handle = world.client.get_workflow_handle(INCIDENT)
    while (at_work := (await handle.describe()).raw_description).pending_activities or at_work.HasField(
        "pending_workflow_task"
    ):
        await world.state()
    lengths = []
    for number in range(2, 7):
        await world.alert()
        await world.until(lambda s, number=number: s.alerts_received == number)  # type: ignore[misc]
        lengths.append((await handle.describe()).history_length)
    assert [after - before for before, after in pairwise(lengths)] == [4, 4, 4, 4]


async def test_an_incident_that_waits_for_another_waits_on_and_hears_of_its_end(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "RECOVERS_WITHIN", timedelta(milliseconds=200))
    holder, member = TARGETS[:2]
    cluster = SharesACause(the_registry_is_away)
    world = await make_world(cluster=cluster, longest_history=LONGEST)
    await world.alert(target=holder)
    await world.until(lambda s: s.status is Status.CLOSED, incident=holder.incident_id)
    await until_known(world, CauseKind.REGISTRY)
    await world.alert(target=member)
    await world.until(grouped, incident=member.incident_id)
    for target in (holder, member):
        state = await resent_until_it_goes_on(world, target.incident_id, target=target)
        assert state.status is (Status.CLOSED if target is holder else Status.INVESTIGATING)
    assert len(world.chat.calls) == 1
    await until_known(world, CauseKind.REGISTRY)

    await world.alert(target=holder, status="resolved")
    looked = await world.until(lambda s: s.outcome is Outcome.ESCALATED, incident=member.incident_id)
    assert any(entry.event == "cause.looking" for entry in looked.timeline)
    assert looked.diagnosis is not None
    assert not looked.diagnosis.at_a_glance, "it sees to the cause now"
