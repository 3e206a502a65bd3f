"""What any Chat owes, whatever is behind it."""

import pytest
from structlog.testing import capture_logs
from tests.builders import NOW, a_call, a_verification, an_approval, an_execution, an_incident

from opsmend.adapters.slack.chat import SlackChat
from opsmend.adapters.terminal.chat import TerminalChat
from opsmend.domain.call import CallReason
from opsmend.domain.incident import IncidentState
from opsmend.domain.ports.chat import Chat, Notice
from opsmend.domain.record import Record

EVERY_STAGE: dict[str, dict[str, object]] = {
    "just opened": {"status": "investigating", "diagnosis": None, "plan": None, "verdict": None},
    "awaiting approval": {},
    "executing": {"status": "executing", "approval": an_approval()},
    "verifying": {"status": "verifying", "approval": an_approval(), "execution": an_execution()},
    "remediated": {
        "status": "closed",
        "outcome": "remediated",
        "approval": an_approval(),
        "execution": an_execution(),
        "verification": a_verification(),
        "closing": "2 of 2 replicas are ready again",
    },
    "rejected": {"status": "closed", "outcome": "escalated", "approval": an_approval(decision="reject", reason="not now")},
    "undone": {"status": "closed", "outcome": "rolled_back", "execution": an_execution(), "undo": an_execution()},
}


@pytest.fixture(params=["slack", "terminal"])
def any_chat(request: pytest.FixtureRequest, chat: SlackChat) -> Chat:
    return chat if request.param == "slack" else TerminalChat()


@pytest.mark.parametrize("stage", EVERY_STAGE)
async def test_an_incident_can_be_told_at_every_stage(any_chat: Chat, incident: IncidentState, stage: str) -> None:
    told = IncidentState.model_validate(incident.model_dump() | {k: _plain(v) for k, v in EVERY_STAGE[stage].items()})
    await any_chat.publish(Notice(state=told, temporal_ui="http://127.0.0.1:8233/namespaces/default"))


async def test_telling_twice_returns_the_same_place(any_chat: Chat, incident: IncidentState) -> None:
    first = await any_chat.publish(Notice(state=incident))
    assert await any_chat.publish(Notice(state=incident, message=first)) == first
    assert await any_chat.publish(Notice(state=incident)) == first


@pytest.mark.parametrize("reason", CallReason)
async def test_a_call_is_made_at_its_own_place_and_leaves_the_message_where_it_is(
    any_chat: Chat, incident: IncidentState, reason: CallReason
) -> None:
    first = await any_chat.publish(Notice(state=incident, call=a_call(reason)))
    assert await any_chat.publish(Notice(state=incident, message=first, call=a_call(reason))) == first


def test_without_slack_a_warning_says_how_approvals_come() -> None:
    with capture_logs() as logs:
        TerminalChat()
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("chat.not_configured", "warning")]
    assert "CLI and HTTP" in logs[0]["detail"]


async def test_without_slack_a_question_is_one_log_event_with_the_plan_hash(incident: IncidentState) -> None:
    chat = TerminalChat()
    with capture_logs() as logs:
        assert await chat.publish(Notice(state=incident, call=a_call(until=NOW))) is None
    assert incident.plan
    (event,) = logs
    assert (event["event"], event["plan_hash"], event["call"]) == ("chat.notice", incident.plan.hash, "question")
    assert event["needed"] == ("A plan waits for an answer. Somebody who may decide has to answer by 2026-03-14 15:00 UTC.")


async def test_an_incident_without_alerts_or_diagnosis_can_be_told(any_chat: Chat) -> None:
    await any_chat.publish(Notice(state=an_incident(alerts=(), alerts_received=0)))


def _plain(value: object) -> object:
    return value.model_dump() if isinstance(value, Record) else value
