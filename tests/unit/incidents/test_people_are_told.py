"""What chat and post-mortem tell: what the incident had come to when they were asked for, or what it has come to since."""

import dataclasses
from datetime import timedelta

import pytest
from temporalio.testing import ActivityEnvironment
from tests.builders import NOW, a_plan, a_target, an_incident, an_incident_awaiting_approval
from tests.desk_in_memory import DeskInMemory
from tests.steering_in_memory import SteeringInMemory
from tests.workflows.fakes import ChatInMemory, MemoryInMemory

from opsmend.activities.about_incident import AboutIncident
from opsmend.activities.incidents import IncidentActivities, PostMortemRequest, PublishRequest
from opsmend.domain.incident import IncidentState, Status
from opsmend.domain.postmortem import PostMortem
from opsmend.errors import TemporalUnavailableError

ASKED = an_incident_awaiting_approval()
CLOSED = an_incident(status="closed", outcome="self_resolved", closing="the alert resolved by itself", closed_at=NOW)


class Told:
    """Activities over an incident that has come to `now`, or that does not answer."""

    def __init__(self, now: IncidentState | None) -> None:
        self._desk = DeskInMemory(*([now] if now else []))
        if now is None:
            self._desk.failing = TemporalUnavailableError("the incident did not answer")
        self._chat = ChatInMemory()
        self._activities = IncidentActivities(self._desk, SteeringInMemory(), self._chat, MemoryInMemory())

    async def message(self, state: IncidentState | None, *, waited: timedelta = timedelta()) -> IncidentState:
        """What the message shows that was asked for with `state`, of a try that began after `waited`."""
        request = PublishRequest(**_about(state), message=None)
        await _begun_after(waited).run(self._activities.publish_incident, request)
        return self._chat.messages["run-1"].state

    async def post_mortem(self, state: IncidentState | None) -> PostMortem:
        return await _begun_after(timedelta()).run(self._activities.write_postmortem, PostMortemRequest(**_about(state)))


def _about(state: IncidentState | None) -> dict[str, object]:
    return dict(AboutIncident(incident_id=a_target().incident_id, run_id="run-1", state=state))


def _begun_after(waited: timedelta) -> ActivityEnvironment:
    env = ActivityEnvironment()
    env.info = dataclasses.replace(env.info, started_time=env.info.scheduled_time + waited)
    return env


async def test_people_are_told_although_the_incident_cannot_be_asked() -> None:
    assert await Told(now=None).message(ASKED) == ASKED


async def test_the_post_mortem_is_written_although_the_incident_cannot_be_asked() -> None:
    assert "the alert resolved by itself" in (await Told(now=None).post_mortem(CLOSED)).markdown


@pytest.mark.parametrize("waited", [timedelta(seconds=11), timedelta(hours=5)], ids=str)
async def test_who_hears_late_hears_what_is_true_now(waited: timedelta) -> None:
    shown = await Told(now=CLOSED).message(ASKED, waited=waited)
    assert (shown.status, shown.plan) == (Status.CLOSED, None)


async def test_who_hears_in_time_hears_what_was_to_be_told() -> None:
    later = ASKED.model_copy(update={"plan": a_plan(attempt=2)})
    assert (await Told(now=later).message(ASKED, waited=timedelta(seconds=1))).plan == ASKED.plan


async def test_what_an_older_version_asked_for_without_a_state_is_told_as_it_is_now() -> None:
    told = Told(now=CLOSED)
    assert await told.message(None) == CLOSED
    assert "the alert resolved by itself" in (await told.post_mortem(None)).markdown
