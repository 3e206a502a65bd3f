"""Approvals: bound to the plan's hash, taken once, from people who may, for as long as it takes."""

from datetime import timedelta

import pytest

from opsmend.activities.incidents import PublishRequest
from opsmend.adapters.temporal.payloads import DATA_CONVERTER
from opsmend.domain.approval import Answer
from opsmend.domain.call import CallReason
from opsmend.domain.incident import Outcome, Status
from opsmend.errors import (
    AlreadyDecidedError,
    IncidentNotFoundError,
    NothingToDecideError,
    PlanHashStaleError,
    PolicyRefusedError,
)
from opsmend.workflows.target_lock import TargetLock
from tests.builders import a_decision_request, a_person
from tests.workflows.conftest import INCIDENT, QUICK, MakeWorld, World


@pytest.mark.safety
async def test_a_rejected_plan_changes_nothing_and_goes_to_a_person_with_the_reason(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan, Answer.REJECT, reason="we are in a freeze"))
    closed = await world.until_closed()

    assert closed.outcome is Outcome.ESCALATED
    assert "we are in a freeze" in closed.closing
    assert world.cluster.changes == []


@pytest.mark.safety
async def test_an_answer_for_another_plan_is_refused_and_the_question_still_stands(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    with pytest.raises(PlanHashStaleError):
        await world.desk.decide(INCIDENT, a_decision_request(asked.plan).model_copy(update={"plan_hash": "0" * 64}))
    state = await world.state()
    assert (state.status, state.approval) == (Status.AWAITING_APPROVAL, None)


async def test_the_second_answer_is_refused(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    with pytest.raises((AlreadyDecidedError, NothingToDecideError)):
        await world.desk.decide(INCIDENT, a_decision_request(asked.plan, Answer.REJECT))
    assert (await world.until_closed()).outcome is Outcome.REMEDIATED


async def test_an_answer_after_the_end_is_refused_even_when_the_workflow_is_gone(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await world.client.get_workflow_handle(INCIDENT).result()
    with pytest.raises(AlreadyDecidedError):
        await world.desk.decide(INCIDENT, a_decision_request(asked.plan))


async def test_an_answer_to_a_workflow_that_is_no_incident_finds_none(world: World) -> None:
    await world.client.start_workflow(TargetLock.run, "somebody", id="lock:x", task_queue="opsmend-workflows")
    with pytest.raises(IncidentNotFoundError):
        await world.desk.decide("lock:x", a_decision_request())


@pytest.mark.safety
async def test_a_person_whom_the_policy_does_not_know_may_not_decide(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    stranger = a_person(via="slack", id="U666", name="Eve", groups=("marketing",))
    with pytest.raises(PolicyRefusedError):
        await world.desk.decide(INCIDENT, a_decision_request(asked.plan, by=stranger))
    assert (await world.state()).approval is None


@pytest.mark.parametrize("claimed", ["http", "slack", "cli"])
@pytest.mark.safety
async def test_an_answer_by_signal_is_refused_whatever_channel_it_claims(world: World, claimed: str) -> None:
    """As shipped: whoever reaches Temporal could approve otherwise."""
    await world.alert()
    asked = await world.until_asked()
    handle = world.client.get_workflow_handle(INCIDENT)
    mallory = a_person(via=claimed, id="operator", name="Mallory", groups=("opsmend-approvers",))
    await handle.signal("decide_by_signal", a_decision_request(asked.plan, by=mallory))
    state = await world.until(lambda s: any(e.event == "decision.refused" for e in s.timeline))
    assert (state.status, state.approval) == (Status.AWAITING_APPROVAL, None)
    assert "Mallory (temporal) may not decide" in next(e.detail for e in state.timeline if e.event == "decision.refused")


async def test_an_answer_by_signal_counts_like_one_by_update_where_policy_lets_it(make_world: MakeWorld) -> None:
    world = await make_world(policies=["answers-by-signal.cedar"])
    await world.alert()
    asked = await world.until_asked()
    handle = world.client.get_workflow_handle(INCIDENT)
    await handle.signal("decide_by_signal", a_decision_request(asked.plan))
    assert (await world.until_closed()).outcome is Outcome.REMEDIATED


@pytest.mark.safety
async def test_a_wrong_answer_by_signal_is_noted_and_changes_nothing(make_world: MakeWorld) -> None:
    world = await make_world(policies=["answers-by-signal.cedar"])
    await world.alert()
    asked = await world.until_asked()
    handle = world.client.get_workflow_handle(INCIDENT)
    stale = a_decision_request(asked.plan).model_copy(update={"plan_hash": "0" * 64})
    await handle.signal("decide_by_signal", stale)
    state = await world.until(lambda s: any(e.event == "decision.refused" for e in s.timeline))
    assert state.approval is None
    assert world.cluster.changes == []


@pytest.mark.safety
async def test_an_unanswered_question_is_reminded_escalated_and_expires(make_world: MakeWorld) -> None:
    # In seconds and not in days: the server skips no time for a workflow with a child, and the lock of the target is one.
    remind, escalate, expire = timedelta(seconds=0.3), timedelta(seconds=0.9), timedelta(seconds=1.8)
    patience = QUICK.model_copy(update={"remind_after": remind, "escalate_after": escalate, "expire_after": expire})
    world = await make_world(patience=patience)
    await world.alert()
    closed = await world.until_closed()

    assert closed.outcome is Outcome.ESCALATED
    assert closed.escalations == 1
    when = {entry.event: entry.at for entry in closed.timeline}
    asked = when["approval.asked"]
    assert remind <= when["approval.reminded"] - asked
    assert escalate <= when["approval.escalated"] - asked
    assert expire <= when["approval.expired"] - asked
    assert world.cluster.changes == []
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()
    assert world.chat.calls[-1].reason is CallReason.EXPIRED


async def test_the_chat_being_down_all_the_while_holds_nothing_up(make_world: MakeWorld) -> None:
    world = await make_world(patience=QUICK)
    world.chat.down = True
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    closed = await world.until_closed()
    assert closed.outcome is Outcome.REMEDIATED

    world.chat.down = False
    await world.client.get_workflow_handle(INCIDENT).result()
    assert world.chat.messages[closed.run_id].state.outcome is Outcome.REMEDIATED


async def test_what_people_were_shown_when_they_were_asked_is_in_history_word_for_word(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    closed = await world.until_closed()

    history = await world.client.get_workflow_handle(INCIDENT, run_id=closed.run_id).fetch_history()
    scheduled = [event.activity_task_scheduled_event_attributes for event in history.events]
    told = [
        DATA_CONVERTER.payload_converter.from_payload(of.input.payloads[0], PublishRequest).state
        for of in scheduled
        if of.activity_type.name == "chat.publish_incident"
    ]
    assert [state.plan for state in told if state and state.status is Status.AWAITING_APPROVAL] == [closed.plan]
