"""A person who is needed is called once, whatever ended the incident; nobody is called for what a person did."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError

from opsmend.domain.approval import Answer
from opsmend.domain.budget import Budget
from opsmend.domain.call import CallReason
from opsmend.domain.incident import Outcome, Status
from opsmend.domain.ports.pager import Paged, PageOver
from opsmend.domain.steering import Stop, TakeOver
from opsmend.domain.untold import Untold
from opsmend.errors import PagerUnavailableError
from opsmend.workflows import incident
from opsmend.workflows.phases import paging
from tests.builders import NOW, a_decision_request, a_person
from tests.workflows.conftest import GIVES_UP_SOON, INCIDENT, QUICK, MakeWorld, World
from tests.workflows.fakes import CannotBeUndone

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
    # A call that is still due gives way to the next, so each needs the time that a busy machine takes to tell it.
    soon = timedelta(seconds=2)
    terms = {"remind_after": soon, "escalate_after": 2 * soon, "expire_after": 3 * soon}
    world = await make_world(patience=QUICK.model_copy(update=terms))
    await world.alert()
    await world.until_closed()
    await over(world)
    assert reasons(world) == [CallReason.QUESTION, CallReason.REMINDER, CallReason.ESCALATION, CallReason.EXPIRED]
    assert len({call.key for call in world.chat.calls}) == 4


async def test_a_rollback_calls(make_world: MakeWorld) -> None:
    world = await make_world(patience=GIVES_UP_SOON)
    await world.until_verifying()
    assert (await world.until_closed()).outcome is Outcome.ROLLED_BACK
    await over(world)
    assert reasons(world) == [CallReason.QUESTION, CallReason.ROLLED_BACK]


async def test_a_change_that_could_not_be_undone_calls(make_world: MakeWorld) -> None:
    world = await make_world(cluster=CannotBeUndone(), patience=GIVES_UP_SOON)
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


async def a_world_that_soon_pages(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, seconds: float = 0.3, **terms: Any
) -> World:
    monkeypatch.setattr(paging, "CHAT_IS_AWAY_AFTER", timedelta(seconds=seconds))
    return await make_world(**terms)


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


class NobodyHasRoom:
    """FirstMessages."""

    def __init__(self, client: Client) -> None:
        """There is nothing to ask."""

    async def room_in(self, untold: Untold) -> timedelta:
        return timedelta(hours=1)

    async def is_told(self, run_id: str) -> None:
        """It makes no difference."""


async def test_where_chat_has_no_channel_a_call_that_is_its_first_message_is_paged_too(make_world: MakeWorld) -> None:
    world = await make_world(first_messages=NobodyHasRoom)
    world.chat.has_channel = False
    await world.alert()
    await world.until(lambda s: any(entry.event == "pager.triggered" for entry in s.timeline))
    assert [page.reason for page in world.pager.pages] == [CallReason.QUESTION]


async def test_the_pager_calls_again_for_what_comes_after(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await a_world_that_soon_pages(make_world, monkeypatch, patience=GIVES_UP_SOON)
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


async def an_undo_that_fails(world: World) -> None:
    world.chat.down = True
    await world.until_verifying()
    await world.until_closed()


async def until_paged(world: World, reason: CallReason) -> None:
    async with asyncio.timeout(60):
        while reason not in {page.reason for page in world.pager.pages}:
            await world.state()


async def test_a_change_that_could_not_be_undone_is_paged_though_every_alert_resolved(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await a_world_that_soon_pages(make_world, monkeypatch, seconds=4, cluster=CannotBeUndone(), patience=GIVES_UP_SOON)
    await an_undo_that_fails(world)
    await world.alert(status="resolved")
    await until_paged(world, CallReason.UNDO_FAILED)
    world.chat.down = False
    await world.client.get_workflow_handle(INCIDENT).result()
    assert world.pager.resolved == [], "nobody was told that they are not needed"


async def cancelled_after_an_undo_that_failed(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, seconds: float) -> World:
    """While chat is away, which counts as away after so many seconds."""
    monkeypatch.setattr(incident, "LAST_WORD", timedelta(seconds=0.2))
    terms = {"cluster": CannotBeUndone(), "patience": GIVES_UP_SOON}
    world = await a_world_that_soon_pages(make_world, monkeypatch, seconds, **terms)
    await an_undo_that_fails(world)
    await world.client.get_workflow_handle(INCIDENT).cancel()
    return world


async def test_a_change_that_could_not_be_undone_is_paged_though_somebody_cancelled_the_incident(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await cancelled_after_an_undo_that_failed(make_world, monkeypatch, seconds=3)
    await until_paged(world, CallReason.UNDO_FAILED)
    world.chat.down = False
    assert world.pager.resolved == []


async def test_a_page_of_before_is_not_taken_back_from_whoever_has_to_come(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pager knows one page of an incident."""
    monkeypatch.setattr(incident, "LAST_WORD", timedelta(seconds=0.2))
    terms = {"cluster": CannotBeUndone(), "patience": GIVES_UP_SOON}
    world = await a_world_that_soon_pages(make_world, monkeypatch, 3, **terms)
    world.chat.down = world.metrics.firing = True
    await world.alert()
    await until_paged(world, CallReason.QUESTION)
    await world.desk.decide(INCIDENT, a_decision_request((await world.state()).plan))
    closed = await world.until_closed()
    await world.client.get_workflow_handle(INCIDENT).cancel()
    await until_paged(world, CallReason.UNDO_FAILED)
    world.chat.down = False
    await world.client.get_workflow_handle(f"{INCIDENT}:aftermath:{closed.run_id}").result()
    assert world.pager.resolved == []


async def test_the_page_of_a_cancelled_incident_is_taken_back_once_the_pager_answers(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(over: PageOver) -> Paged:
        raise PagerUnavailableError("the pager is away")

    monkeypatch.setattr(incident, "LAST_WORD", timedelta(seconds=0.2))
    world = await a_world_that_soon_pages(make_world, monkeypatch, 3)
    world.chat.down = True
    await world.alert()
    await until_paged(world, CallReason.QUESTION)
    run = (await world.state()).run_id
    with monkeypatch.context() as patched:
        patched.setattr(world.pager, "resolve", away)
        await world.client.get_workflow_handle(INCIDENT).cancel()
        with pytest.raises(WorkflowFailureError):
            await world.client.get_workflow_handle(INCIDENT).result()
    world.chat.down = False
    await world.client.get_workflow_handle(f"{INCIDENT}:aftermath:{run}").result()
    assert [over.incident_id for over in world.pager.resolved] == [INCIDENT]


async def test_where_chat_is_back_in_time_a_cancelled_incident_pages_nobody(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await cancelled_after_an_undo_that_failed(make_world, monkeypatch, seconds=60)
    with pytest.raises(WorkflowFailureError):
        await world.client.get_workflow_handle(INCIDENT).result()
    world.chat.down = False
    run = (await world.state()).run_id
    await world.client.get_workflow_handle(f"{INCIDENT}:aftermath:{run}").result()
    assert world.pager.pages == []


async def test_the_page_of_a_change_that_could_not_be_undone_is_left_to_whoever_comes(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await a_world_that_soon_pages(make_world, monkeypatch, cluster=CannotBeUndone(), patience=GIVES_UP_SOON)
    await an_undo_that_fails(world)
    await until_paged(world, CallReason.UNDO_FAILED)
    world.chat.down = False
    await over(world)
    assert world.pager.resolved == []


async def test_an_alert_that_flaps_does_not_put_the_page_off(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each outbreak is an incident of its own, and none of them lasts as long as chat has to be away."""
    monkeypatch.setattr(paging, "CHAT_IS_AWAY_AFTER", timedelta(seconds=4))
    world = await make_world(budget=Budget(tool_calls=0))
    world.chat.down = True
    run = None
    for outbreak in range(6):
        await world.alert(starts_at=NOW + timedelta(minutes=outbreak))
        state = await world.until(lambda s: s.run_id != run and s.status is Status.CLOSED)  # noqa: B023
        run = state.run_id
        began = asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() < began + 1.5:
            await world.state()
    assert world.pager.pages


async def test_a_reminder_does_not_put_the_page_off(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "CHAT_IS_AWAY_AFTER", timedelta(seconds=2))
    soon = timedelta(seconds=1.5)
    terms = {"remind_after": soon, "escalate_after": 2 * soon, "expire_after": 3 * soon}
    world = await make_world(patience=QUICK.model_copy(update=terms))
    world.chat.down = True
    await world.alert()
    closed = await world.until_closed()
    told = [entry.event for entry in closed.timeline]
    assert told.index("pager.triggered") < told.index("approval.expired")


async def test_a_closed_incident_that_goes_on_in_a_new_run_keeps_its_page(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "CHAT_IS_AWAY_AFTER", timedelta(seconds=0.3))
    world = await make_world(longest_history=120, budget=Budget(tool_calls=0))
    world.chat.down = True
    await world.alert()
    await world.until(lambda s: s.status is Status.CLOSED)
    await until_paged(world, CallReason.BUDGET)
    before = (await world.state()).now_in
    async with asyncio.timeout(60):
        while (await world.state()).now_in == before:
            await world.alert()
    await world.alert()
    assert world.pager.resolved == []
    world.chat.down = False
    await over(world)
    assert [page.incident_id for page in world.pager.resolved] == [INCIDENT]
    assert len(world.pager.pages) == 1
    assert reasons(world) == [CallReason.BUDGET]
