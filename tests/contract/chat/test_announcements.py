"""What concerns no incident is a message of its own, said once however many of us see it."""

import pytest
from tests.contract.chat.conftest import Team
from tests.slack_standin.faults import Fault, Mode
from tests.slack_standin.standin import SlackStandin

from opsmend.adapters.slack.chat import SlackChat, slack_chat
from opsmend.adapters.terminal.chat import TerminalChat
from opsmend.domain.ports.chat import Announcer
from opsmend.errors import ChatRejectedError, ChatUnavailableError
from opsmend.settings import SlackSettings


async def test_it_is_posted_to_the_channel(chat: SlackChat, slack: SlackStandin, team: Team) -> None:
    await chat.announce("No worker does the work of sre. <!channel>", "workers_away:sre")
    (message,) = slack.workspace.messages(team.channel.id)
    assert "No worker does the work of sre." in message["text"]
    assert "<!channel>" not in message["text"]
    assert not message.get("thread_ts")


async def test_another_process_does_not_say_it_again(
    chat: SlackChat, settings: SlackSettings, slack: SlackStandin, team: Team
) -> None:
    await chat.announce("gone", "workers_away:sre")
    await slack_chat(settings).announce("gone", "workers_away:sre")
    await chat.announce("back", "workers_back:sre")
    assert [message["text"] for message in slack.workspace.messages(team.channel.id)] == ["gone", "back"]


@pytest.mark.parametrize(
    ("mode", "error"), [(Mode.UNAVAILABLE, ChatUnavailableError), (Mode.REFUSED, ChatRejectedError)], ids=["away", "refused"]
)
async def test_what_slack_does_not_take_is_told_to_the_caller(
    chat: SlackChat, slack: SlackStandin, mode: Mode, error: type[Exception]
) -> None:
    slack.faults.active.append(Fault(mode, frozenset({"chat.postMessage"}), code="not_in_channel"))
    with pytest.raises(error):
        await chat.announce("gone", "workers_away:sre")


async def test_a_terminal_takes_every_announcement() -> None:
    announcer: Announcer = TerminalChat()
    await announcer.announce("gone", "workers_away:sre")
