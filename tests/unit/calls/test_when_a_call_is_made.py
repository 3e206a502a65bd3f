"""Which call an activity makes: the one it was asked for, unless nobody is needed any more."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment
from tests.builders import NOW, a_call, a_plan, an_approval, an_incident_awaiting_approval
from tests.desk_in_memory import DeskInMemory
from tests.steering_in_memory import SteeringInMemory
from tests.workflows.fakes import ChatInMemory, MemoryInMemory

from opsmend.activities.incidents import IncidentActivities, PublishRequest
from opsmend.domain.call import ANSWERABLE, Call, CallReason
from opsmend.domain.incident import IncidentState

ASKED = an_incident_awaiting_approval()
ANSWERED = ASKED.model_copy(update={"status": "executing", "approval": an_approval(ASKED.plan)})
OVER = ASKED.model_copy(update={"status": "closed", "outcome": "self_resolved"})
PLANNED_AGAIN = ASKED.model_copy(update={"plan": a_plan(attempt=2)})
SEEN_MORE = ASKED.model_copy(update={"alerts_received": 7})


async def calls(now: IncidentState, *, waited: timedelta = timedelta(), activity_id: str = "7", **request: Any) -> list[Call]:
    """What is called of a try that begins after `waited`, when the incident has come to `now`."""
    chat = ChatInMemory()
    activities = IncidentActivities(DeskInMemory(now), SteeringInMemory(), chat, MemoryInMemory())
    env = ActivityEnvironment()
    env.info = dataclasses.replace(env.info, scheduled_time=NOW, started_time=NOW + waited, activity_id=activity_id)
    asked = PublishRequest(**({"incident_id": now.id, "run_id": now.run_id, "state": ASKED, "message": None} | request))
    await env.run(activities.publish_incident, asked)
    return chat.calls


@pytest.mark.parametrize("reason", CallReason)
async def test_a_call_is_made_as_it_was_asked_for(reason: CallReason) -> None:
    assert await calls(ASKED, call=a_call(reason)) == [a_call(reason)]


@pytest.mark.parametrize("reason", CallReason)
@pytest.mark.parametrize("now", [ANSWERED, OVER, PLANNED_AGAIN], ids=["answered", "over", "asked about another plan"])
async def test_who_is_called_late_is_not_called_to_a_question_that_fell_away(now: IncidentState, reason: CallReason) -> None:
    made = await calls(now, waited=timedelta(hours=1), call=a_call(reason))
    assert made == ([] if reason in ANSWERABLE else [a_call(reason)])


@pytest.mark.parametrize("reason", CallReason)
async def test_a_late_call_is_made_while_the_question_still_stands(reason: CallReason) -> None:
    assert await calls(SEEN_MORE, waited=timedelta(hours=1), call=a_call(reason)) == [a_call(reason)]


async def test_without_a_call_nobody_is_called() -> None:
    assert await calls(ASKED) == []


# --- what an older version scheduled -----------------------------------------------------------------------------------------


async def test_the_attention_of_an_older_run_is_a_call() -> None:
    (call,) = await calls(ASKED, attention="Reminder: this plan still waits for an answer.")
    assert (call.reason, call.text, call.at) == (CallReason.REMINDER, "Reminder: this plan still waits for an answer.", NOW)


async def test_the_attention_of_an_escalated_question_goes_beyond_the_team() -> None:
    escalated = ASKED.model_copy(update={"escalations": 1})
    (call,) = await calls(ASKED, state=escalated, attention="Nobody has answered yet: escalated.")
    assert call.reason is CallReason.NEEDS_PERSON


async def test_each_try_makes_the_same_call_of_it_and_the_next_activity_another() -> None:
    first = await calls(ASKED, attention="Reminder.")
    assert await calls(SEEN_MORE, waited=timedelta(hours=1), attention="Reminder.") == first
    (next_one,) = await calls(ASKED, activity_id="8", attention="Reminder.")
    assert next_one.key != first[0].key


async def test_a_request_from_before_states_were_handed_over_is_called_as_well() -> None:
    assert len(await calls(ASKED, state=None, attention="Reminder.")) == 1
