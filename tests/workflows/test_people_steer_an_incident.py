"""A person on call takes an incident over, stops it, snoozes it, marks its diagnosis as wrong, or looks without an alert."""

from datetime import UTC, datetime, timedelta

import pytest

from opsmend.domain.incident import Outcome, Status
from opsmend.domain.steering import LONGEST_SNOOZE, Snooze, Stop, TakeOver, WrongDiagnosis
from opsmend.domain.target import Kind
from opsmend.errors import (
    BadPayloadError,
    IncidentClosedError,
    IncidentNotFoundError,
    NothingToDecideError,
    PolicyRefusedError,
)
from tests.builders import a_decision_request, a_person, a_target
from tests.workflows.conftest import INCIDENT, QUICK, MakeWorld, World
from tests.workflows.fakes import LosesItsNode

MIA = a_person(via="http", id="operator", name="mia")
EVE = a_person(via="slack", id="U666", name="Eve", groups=("marketing",))


def events(timeline: object) -> list[str]:
    return [entry.event for entry in timeline]  # type: ignore[attr-defined]


@pytest.mark.safety
async def test_whoever_takes_an_incident_over_is_left_alone_with_it(make_world: MakeWorld) -> None:
    soon = timedelta(seconds=0.5)
    world = await make_world(patience=QUICK.model_copy(update={"remind_after": soon, "escalate_after": 2 * soon}))
    world.metrics.firing = True
    await world.alert()
    asked = await world.until_asked()
    await world.steering.take_over(INCIDENT, TakeOver(by=MIA, reason="I know this one"))
    closed = await world.until_closed()

    assert closed.outcome is Outcome.ESCALATED
    assert closed.closing == "mia (http) took it over (I know this one); nothing was changed"
    assert not {"approval.reminded", "approval.escalated"} & set(events(closed.timeline))
    with pytest.raises(NothingToDecideError):
        await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    assert world.cluster.changes == []


async def test_a_resend_does_not_open_again_what_somebody_took_over(world: World) -> None:
    await world.alert()
    taken = await world.until_asked()
    await world.steering.take_over(INCIDENT, TakeOver(by=MIA))
    await world.until_closed()
    await world.alert()
    again = await world.until(lambda s: s.alerts_received == 2)
    assert (again.run_id, again.status) == (taken.run_id, Status.CLOSED)


async def test_a_change_stays_with_whoever_takes_over_while_it_is_verified(world: World) -> None:
    plan = await world.until_verifying()
    await world.steering.take_over(INCIDENT, TakeOver(by=MIA))
    closed = await world.until_closed()
    assert closed.outcome is Outcome.ESCALATED
    assert "the change stays as it is" in closed.closing
    assert world.cluster.changes == [f"{plan.hash}#1"]


@pytest.mark.safety
async def test_whoever_stops_an_incident_has_its_change_undone(world: World) -> None:
    plan = await world.until_verifying()
    await world.steering.stop(INCIDENT, Stop(by=MIA, reason="wrong service"))
    closed = await world.until_closed()
    assert closed.outcome is Outcome.ROLLED_BACK
    assert "mia (http) stopped it (wrong service)" in closed.closing
    assert world.cluster.changes == [f"{plan.hash}#1", f"{plan.hash}#undo-1"]


@pytest.mark.safety
async def test_an_incident_that_is_stopped_while_it_asks_changes_nothing(world: World) -> None:
    await world.alert()
    await world.until_asked()
    await world.steering.stop(INCIDENT, Stop(by=MIA))
    closed = await world.until_closed()
    assert (closed.outcome, closed.closing) == (Outcome.ESCALATED, "mia (http) stopped it; nothing was changed")
    assert world.cluster.changes == []


async def test_after_somebody_took_it_over_the_next_outbreak_is_a_new_incident(world: World) -> None:
    await world.alert()
    first = await world.until_asked()
    await world.steering.take_over(INCIDENT, TakeOver(by=MIA))
    await world.until_closed()
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT, run_id=first.run_id).result()
    await world.alert(starts_at=datetime.now(UTC))
    second = await world.until(lambda s: s.run_id != first.run_id and s.status is Status.AWAITING_APPROVAL)
    assert second.outcome is None


async def test_nobody_is_reminded_while_it_is_snoozed_and_everybody_afterwards(make_world: MakeWorld) -> None:
    soon = timedelta(seconds=1)
    world = await make_world(patience=QUICK.model_copy(update={"remind_after": soon}))
    await world.alert()
    await world.until_asked()
    until = datetime.now(UTC) + timedelta(seconds=3)
    await world.steering.snooze(INCIDENT, Snooze(by=MIA, until=until))
    reminded = await world.until(lambda s: "approval.reminded" in events(s.timeline))
    when = {entry.event: entry.at for entry in reminded.timeline}
    assert when["approval.reminded"] >= until
    assert reminded.status is Status.AWAITING_APPROVAL


async def test_a_snooze_that_outlasts_the_question_leaves_all_its_time_to_answer(make_world: MakeWorld) -> None:
    soon = timedelta(seconds=1)
    terms = {"remind_after": soon, "escalate_after": 2 * soon, "expire_after": 3 * soon}
    world = await make_world(patience=QUICK.model_copy(update=terms))
    await world.alert()
    await world.until_asked()
    until = datetime.now(UTC) + 5 * soon
    await world.steering.snooze(INCIDENT, Snooze(by=MIA, until=until))
    closed = await world.until_closed()
    when = {entry.event: entry.at for entry in closed.timeline}
    assert when["approval.reminded"] >= until
    assert when["approval.escalated"] >= until + soon
    assert when["approval.expired"] >= until + 2 * soon


async def test_what_is_not_asked_cannot_be_snoozed(make_world: MakeWorld) -> None:
    world = await make_world(patience=QUICK.model_copy(update={"intake_window": timedelta(minutes=1)}))
    await world.alert()
    with pytest.raises(NothingToDecideError):
        await world.steering.snooze(INCIDENT, Snooze(by=MIA, until=datetime.now(UTC) + timedelta(hours=1)))


async def test_a_snoozed_question_can_be_answered(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.steering.snooze(INCIDENT, Snooze(by=MIA, until=datetime.now(UTC) + timedelta(hours=8)))
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    assert (await world.until_closed()).outcome is Outcome.REMEDIATED


@pytest.mark.parametrize("ahead", [timedelta(minutes=-1), LONGEST_SNOOZE + timedelta(hours=1)], ids=["past", "too-far"])
async def test_a_snooze_has_to_end_soon_enough(world: World, ahead: timedelta) -> None:
    await world.alert()
    await world.until_asked()
    with pytest.raises(BadPayloadError, match="within 7 days"):
        await world.steering.snooze(INCIDENT, Snooze(by=MIA, until=datetime.now(UTC) + ahead))


@pytest.mark.safety
async def test_whom_policy_does_not_know_steers_nothing(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    soon = datetime.now(UTC) + timedelta(hours=1)
    for refused in (
        world.steering.take_over(INCIDENT, TakeOver(by=EVE)),
        world.steering.stop(INCIDENT, Stop(by=EVE)),
        world.steering.snooze(INCIDENT, Snooze(by=EVE, until=soon)),
        world.steering.mark_wrong(INCIDENT, None, WrongDiagnosis(by=EVE)),
    ):
        with pytest.raises(PolicyRefusedError):
            await refused
    state = await world.state()
    assert (state.status, state.run_id) == (Status.AWAITING_APPROVAL, asked.run_id)
    assert not await world.steering.is_marked_wrong(INCIDENT, asked.run_id)


async def test_what_is_closed_can_be_neither_taken_over_nor_stopped(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await world.client.get_workflow_handle(INCIDENT).result()
    for refused in (
        world.steering.take_over(INCIDENT, TakeOver(by=MIA)),
        world.steering.stop(INCIDENT, Stop(by=MIA)),
    ):
        with pytest.raises(IncidentClosedError):
            await refused


async def test_what_is_no_incident_is_not_found(world: World) -> None:
    with pytest.raises(IncidentNotFoundError):
        await world.steering.stop("incident:test:shop:deployment:never", Stop(by=MIA))
    with pytest.raises(IncidentNotFoundError):
        await world.steering.mark_wrong("incident:test:shop:deployment:never", None, WrongDiagnosis(by=MIA))


async def remediated(world: World) -> str:
    """The run of an incident that is over and remembered."""
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await world.client.get_workflow_handle(INCIDENT).result()
    return asked.run_id


async def test_memory_forgets_a_diagnosis_that_somebody_marks_as_wrong(world: World) -> None:
    run_id = await remediated(world)
    assert run_id in world.memory.kept
    await world.steering.mark_wrong(INCIDENT, None, WrongDiagnosis(by=MIA, note="it was the database"))
    await world.client.get_workflow_handle(f"feedback:{INCIDENT}:{run_id}").result()
    assert world.memory.kept == {}
    again = await world.steering.mark_wrong(INCIDENT, run_id, WrongDiagnosis(by=MIA))
    assert "before" in again.what


async def test_a_diagnosis_marked_as_wrong_while_the_incident_is_open_is_never_remembered(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.steering.mark_wrong(INCIDENT, None, WrongDiagnosis(by=MIA))
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await world.client.get_workflow_handle(INCIDENT).result()
    assert world.memory.kept == {}


async def test_memory_that_is_away_forgets_once_it_is_back(world: World) -> None:
    run_id = await remediated(world)
    world.memory.down = True
    await world.steering.mark_wrong(INCIDENT, run_id, WrongDiagnosis(by=MIA))
    world.memory.down = False
    await world.client.get_workflow_handle(f"feedback:{INCIDENT}:{run_id}").result()
    assert world.memory.kept == {}


async def test_an_investigation_without_an_alert_says_what_is_wrong_and_plans_nothing(world: World) -> None:
    begun = await world.steering.investigate(a_target(), MIA)
    await world.client.get_workflow_handle(begun.id).result()
    state = await world.desk.get(begun.id)
    assert state.diagnosis is not None
    assert state.diagnosis.category == "crash_after_rollout"
    assert (state.outcome, state.plan) == (Outcome.NO_ACTION, None)
    assert "nothing was changed" in state.closing
    assert world.cluster.changes == []


async def test_an_investigation_without_an_alert_stays_apart_from_the_incident_of_the_same_target(world: World) -> None:
    begun = await world.steering.investigate(a_target(), MIA)
    await world.alert()
    await world.until_asked()
    assert begun.id != INCIDENT
    assert (await world.desk.get(begun.id)).alerts_received == 1


async def test_an_investigation_of_what_a_lost_node_broke_ends_and_opens_no_incident(make_world: MakeWorld) -> None:
    world = await make_world(cluster=LosesItsNode())
    begun = await world.steering.investigate(a_target(), MIA)
    await world.client.get_workflow_handle(begun.id).result()
    assert "node-1" in (await world.desk.get(begun.id)).closing
    with pytest.raises(IncidentNotFoundError):
        await world.desk.get(a_target(Kind.NODE, "node-1", "").incident_id)
