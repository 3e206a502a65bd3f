"""What is no incident's own message, and still has to reach a person."""

from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs
from tests.contract.chat.conftest import Team
from tests.slack_standin.faults import Fault, Mode
from tests.slack_standin.standin import SlackStandin

from opsmend.adapters.slack.chat import SlackChat, slack_chat
from opsmend.adapters.terminal.chat import TerminalChat
from opsmend.domain.ports.chat import Alarm
from opsmend.errors import ChatUnavailableError
from opsmend.settings import SlackSettings


def an_alarm(key: str = "run-1:stalled:0") -> Alarm:
    return Alarm(
        key=key,
        text="incident:demo:shop:deployment:web stands still: <!channel> KeyError",
        since=datetime.now(UTC),
        workflow_id="incident:demo:shop:deployment:web",
        run_id="run-1",
        temporal_ui="http://127.0.0.1:8233/namespaces/default/workflows/x",
    )


async def test_an_alarm_reaches_the_escalation_channel_once_however_often_it_is_raised(
    chat: SlackChat, slack: SlackStandin, team: Team
) -> None:
    slack.faults.active.append(Fault(Mode.ANSWER_LOST, frozenset({"chat.postMessage"}), times=1))
    with pytest.raises(ChatUnavailableError):
        await chat.raise_alarm(an_alarm())
    await chat.raise_alarm(an_alarm())
    (message,) = slack.workspace.messages(team.escalations.id)
    assert "stands still" in message["text"]
    assert "<!channel>" not in message["text"], "foreign text calls nobody"
    assert "http://127.0.0.1:8233/" in message["text"]
    assert slack.workspace.messages(team.channel.id) == []


async def test_another_alarm_is_another_message(chat: SlackChat, slack: SlackStandin, team: Team) -> None:
    await chat.raise_alarm(an_alarm("run-1:stalled:0"))
    await chat.raise_alarm(an_alarm("run-1:over:0"))
    assert len(slack.workspace.messages(team.escalations.id)) == 2


async def test_without_an_escalation_channel_it_goes_to_the_channel(
    settings: SlackSettings, slack: SlackStandin, team: Team
) -> None:
    chat = slack_chat(settings.model_copy(update={"escalation_channel": None}))
    await chat.raise_alarm(an_alarm())
    assert len(slack.workspace.messages(team.channel.id)) == 1


async def test_without_slack_it_is_an_error_in_the_log() -> None:
    chat = TerminalChat()
    with capture_logs() as logs:
        await chat.raise_alarm(an_alarm())
    (event,) = logs
    assert (event["event"], event["log_level"], event["workflow_id"]) == (
        "chat.alarm",
        "error",
        "incident:demo:shop:deployment:web",
    )
