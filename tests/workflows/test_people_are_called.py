"""A person who is needed is called once, whatever ended the incident; nobody is called for what a person did."""

from datetime import timedelta

import pytest

from opsmend.domain.approval import Answer
from opsmend.domain.budget import Budget
from opsmend.domain.call import CallReason
from opsmend.domain.execution import StepRecord
from opsmend.domain.incident import Outcome
from opsmend.domain.plan import PlannedStep
from opsmend.domain.steering import Stop, TakeOver
from opsmend.errors import ClusterForbiddenError
from opsmend.workflows.phases import paging
from tests.builders import a_decision_request, a_person
from tests.workflows.conftest import INCIDENT, QUICK, MakeWorld, World

MIA = a_person(via="http", id="operator", name="mia")


async def over(world: World) -> None:
    """All is told."""
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()


def reasons(world: World) -> list[CallReason]:
    return [call.reason for call in world.chat.calls]


async def test_a_question_calls_and_says_until_when_it_can_be_answered(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    assert asked.plan is not None
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await world.until_closed()
    await over(world)
    (call,) = world.chat.calls
    assert call.reason is CallReason.QUESTION
    assert asked.plan.summary in call.text
    when = {entry.event: entry.at for entry in asked.timeline}
    assert call.until == when["approval.asked"] + QUICK.expire_after


async def test_progress_and_a_fix_that_helps_call_nobody(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    assert (await world.until_closed()).outcome is Outcome.REMEDIATED
    await over(world)
    assert len(world.chat.notices) > 1
    assert reasons(world) == [CallReason.QUESTION]


async def test_each_deadline_of_a_question_calls_again(make_world: MakeWorld) -> None:
    soon = timedelta(seconds=0.4)
    terms = {"remind_after": soon, "escalate_after": 2 * soon, "expire_after": 3 * soon}
    world = await make_world(patience=QUICK.model_copy(update=terms))
    await world.alert()
    await world.until_closed()
    await over(world)
    assert reasons(world) == [CallReason.QUESTION, CallReason.REMINDER, CallReason.ESCALATION, CallReason.EXPIRED]
    assert len({call.key for call in world.chat.calls}) == 4


async def test_a_rollback_calls(world: World) -> None:
    await world.until_verifying()
    assert (await world.until_closed()).outcome is Outcome.ROLLED_BACK
    await over(world)
    assert reasons(world) == [CallReason.QUESTION, CallReason.ROLLED_BACK]


async def test_a_change_that_could_not_be_undone_calls(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(step: PlannedStep, marker: str, undone: str) -> StepRecord:
        raise ClusterForbiddenError("patch of deployments.apps is forbidden")

    monkeypatch.setattr(world.cluster, "undo", refused)
    await world.until_verifying()
    closed = await world.until_closed()
    await over(world)
    assert reasons(world) == [CallReason.QUESTION, CallReason.UNDO_FAILED]
    assert world.chat.calls[-1].text == closed.closing


async def test_a_spent_budget_calls(make_world: MakeWorld) -> None:
    world = await make_world(budget=Budget(tool_calls=0))
    await world.alert()
    await world.until_closed()
    await over(world)
    assert reasons(world) == [CallReason.BUDGET]


async def test_whoever_rejects_a_plan_is_not_called(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan, decision=Answer.REJECT))
    await world.until_closed()
    await over(world)
    assert reasons(world) == [CallReason.QUESTION]


@pytest.mark.parametrize("how", ["take over", "stop"])
async def test_whoever_ends_an_incident_is_not_called(world: World, how: str) -> None:
    await world.alert()
    await world.until_asked()
    if how == "stop":
        await world.steering.stop(INCIDENT, Stop(by=MIA))
    else:
        await world.steering.take_over(INCIDENT, TakeOver(by=MIA))
    await world.until_closed()
    await over(world)
    assert reasons(world) == [CallReason.QUESTION]


async def a_world_that_soon_pages(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, seconds: float = 0.3) -> World:
    monkeypatch.setattr(paging, "CHAT_IS_AWAY_AFTER", timedelta(seconds=seconds))
    return await make_world(sandboxed=False)


async def test_a_pager_calls_while_chat_is_away_and_takes_it_back_once_nobody_is_needed(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await a_world_that_soon_pages(make_world, monkeypatch)
    world.chat.down = True
    await world.alert()
    asked = await world.until(lambda s: any(entry.event == "pager.triggered" for entry in s.timeline))
    (page,) = world.pager.pages
    assert (page.incident_id, page.reason) == (INCIDENT, CallReason.QUESTION)
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await world.until_closed()
    world.chat.down = False
    await over(world)
    assert [over.incident_id for over in world.pager.resolved] == [INCIDENT]
    assert len(world.pager.pages) == 1


async def test_a_chat_that_takes_the_call_spares_the_pager(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await a_world_that_soon_pages(make_world, monkeypatch, seconds=60)
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await world.until_closed()
    await over(world)
    assert (world.pager.pages, world.pager.resolved) == ([], [])


async def test_where_chat_has_no_channel_the_pager_calls_at_once(make_world: MakeWorld) -> None:
    world = await make_world()
    world.chat.has_channel = False
    await world.alert()
    await world.until(lambda s: any(entry.event == "pager.triggered" for entry in s.timeline))
    assert [page.reason for page in world.pager.pages] == [CallReason.QUESTION]


async def test_the_pager_calls_again_for_what_comes_after(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await a_world_that_soon_pages(make_world, monkeypatch)
    world.chat.down = True
    world.metrics.firing = True
    await world.alert()
    asked = await world.until(lambda s: any(entry.event == "pager.triggered" for entry in s.timeline))
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await world.until(lambda s: sum(entry.event == "pager.triggered" for entry in s.timeline) == 2)
    assert [page.reason for page in world.pager.pages] == [CallReason.QUESTION, CallReason.ROLLED_BACK]


async def test_whoever_stops_an_incident_while_its_fix_is_looked_at_is_not_called(world: World) -> None:
    await world.until_verifying()
    await world.steering.stop(INCIDENT, Stop(by=MIA))
    closed = await world.until_closed()
    assert (closed.outcome, closed.closing) == (Outcome.ROLLED_BACK, "mia (http) stopped it; every change was undone")
    await over(world)
    assert reasons(world) == [CallReason.QUESTION]
