"""What any Chat owes, whatever is behind it."""

import pytest
from structlog.testing import capture_logs
from tests.builders import NOW, a_call, a_verification, an_approval, an_execution, an_incident
from tests.contract.chat.conftest import Team
from tests.slack_standin.rendering import outside_code
from tests.slack_standin.standin import SlackStandin

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

IN_SLACK: dict[str, tuple[str, ...]] = {
    "just opened": ("investigating · Deployment shop/web",),
    "awaiting approval": ("waiting for your decision", "Plan", "Security passed"),
    "executing": ("carrying out the plan", "Approved by Mia (terminal)"),
    "verifying": ("checking that it helped", "Done\n• step 1 applied"),
    "remediated": ("remediated", "Verified healthy", "2 of 2 replicas are ready again"),
    "rejected": ("escalated, a person is needed", "Rejected by Mia (terminal)", "not now"),
    "undone": ("change undone, a person is needed", "Undone\n• step 1 applied"),
}


@pytest.fixture(params=["slack", "terminal"])
def any_chat(request: pytest.FixtureRequest, chat: SlackChat) -> Chat:
    return chat if request.param == "slack" else TerminalChat()


def at(stage: str, incident: IncidentState) -> IncidentState:
    return IncidentState.model_validate(incident.model_dump() | {k: _plain(v) for k, v in EVERY_STAGE[stage].items()})


@pytest.mark.parametrize("stage", EVERY_STAGE)
async def test_slack_shows_at_every_stage_what_the_incident_has_come_to(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState, stage: str
) -> None:
    await chat.publish(Notice(state=at(stage, incident)))
    (message,) = slack.workspace.messages(team.channel.id)
    read = outside_code(message).replace("*", "")
    assert [words for words in IN_SLACK[stage] if words not in read] == []


@pytest.mark.parametrize("stage", EVERY_STAGE)
async def test_without_slack_the_log_says_at_every_stage_what_the_incident_has_come_to(
    incident: IncidentState, stage: str
) -> None:
    chat, state = TerminalChat(), at(stage, incident)
    with capture_logs() as logs:
        await chat.publish(Notice(state=state))
    (event,) = logs
    assert (event["target"], event["status"], event["outcome"]) == ("Deployment shop/web", state.status, state.outcome)


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


async def test_what_is_not_known_yet_is_left_out(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    await chat.publish(Notice(state=an_incident(alerts=(), alerts_received=0, opened_at=incident.opened_at)))
    (message,) = slack.workspace.messages(team.channel.id)
    read = outside_code(message)
    assert "Severity unknown · 0 alerts" in read
    assert [part for part in ("*Why*", "*Plan*", "*Security*", "*Policy*", "*Done*", "*Outcome*") if part in read] == []


def _plain(value: object) -> object:
    return value.model_dump() if isinstance(value, Record) else value
