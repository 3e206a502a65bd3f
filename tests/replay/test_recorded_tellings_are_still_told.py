"""An activity that an older worker scheduled is taken by today's: each recorded input of the telling is told, its calls too."""

import base64
import dataclasses
import json
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.testing import ActivityEnvironment

from opsmend.activities.incidents import IncidentActivities, PublishRequest
from opsmend.adapters.temporal.payloads import DATA_CONVERTER
from tests.builders import an_incident
from tests.desk_in_memory import DeskInMemory
from tests.replay.record import HISTORIES
from tests.steering_in_memory import SteeringInMemory
from tests.workflows.fakes import ChatInMemory, MemoryInMemory

INCIDENTS = sorted(HISTORIES.glob("*/*/*-Incident.json"))


def _told(path: Path) -> dict[str, PublishRequest]:
    """Activity id -> what the activity was handed."""
    scheduled = [event.get("activityTaskScheduledEventAttributes", {}) for event in json.loads(path.read_text())["events"]]
    return {
        of["activityId"]: _read(of["input"]["payloads"][0])
        for of in scheduled
        if of.get("activityType", {}).get("name") == "chat.publish_incident"
    }


def _read(recorded: dict[str, object]) -> PublishRequest:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=base64.b64decode(str(recorded["data"])))
    request: PublishRequest = DATA_CONVERTER.payload_converter.from_payload(payload, PublishRequest)
    return request


def _goes_on(path: Path) -> bool:
    return "continuedExecutionRunId" in json.loads(path.read_text())["events"][0]["workflowExecutionStartedEventAttributes"]


@pytest.mark.parametrize("path", INCIDENTS, ids=lambda p: str(p.relative_to(HISTORIES).with_suffix("")))
async def test_each_telling_is_told_and_calls_whom_it_called(path: Path) -> None:
    tellings = _told(path)
    assert tellings or _goes_on(path), "only a run that goes on with what another has told may have nothing to tell"
    for activity_id, request in tellings.items():
        chat = ChatInMemory()
        now = request.state or an_incident(id=request.incident_id, run_id=request.run_id)
        env = ActivityEnvironment()
        env.info = dataclasses.replace(env.info, activity_id=activity_id)
        await env.run(
            IncidentActivities(DeskInMemory(now), SteeringInMemory(), chat, MemoryInMemory()).publish_incident, request
        )
        assert list(chat.messages) == [request.run_id]
        said = request.call.text if request.call else request.attention
        assert [call.text for call in chat.calls] == ([said] if said else [])


@pytest.mark.parametrize("path", [path for path in INCIDENTS if path.parent.name == "expired"], ids=lambda p: p.parts[-3])
def test_a_question_that_expired_called(path: Path) -> None:
    assert any(request.attention or request.call for request in _told(path).values())
