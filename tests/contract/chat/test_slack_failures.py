"""When Slack is away opsmend says so in its own words, and nothing is posted twice once it is back."""

import logging
from datetime import timedelta

import pytest
from pydantic import SecretStr
from tests.contract.chat.conftest import Team
from tests.slack_standin.faults import Fault, Mode
from tests.slack_standin.standin import SlackStandin

from opsmend.adapters.slack.chat import SlackChat, slack_chat
from opsmend.domain.incident import IncidentState
from opsmend.domain.ports.chat import Notice
from opsmend.errors import ChatRejectedError, ChatUnavailableError, SettingsError
from opsmend.settings import SlackSettings


async def test_an_outage_is_unavailable_and_afterwards_the_message_is_there_once(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    await slack.go_down()
    for _ in range(2):
        with pytest.raises(ChatUnavailableError):
            await chat.publish(Notice(state=incident))
    await slack.come_back()
    await chat.publish(Notice(state=incident))
    await chat.publish(Notice(state=incident))
    assert len(slack.workspace.messages(team.channel.id)) == 1


@pytest.mark.parametrize(
    ("method", "mode"),
    [
        ("conversations.history", Mode.UNAVAILABLE),
        ("auth.test", Mode.UNAVAILABLE),
        ("chat.postMessage", Mode.UNAVAILABLE),
        ("chat.postMessage", Mode.ANSWER_LOST),
        # Only where it counts: aiohttp itself repeats a GET whose connection broke, which harms nothing.
        ("chat.postMessage", Mode.CONNECTION_LOST),
    ],
)
async def test_a_failure_at_any_call_is_unavailable_and_leads_to_one_message(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState, mode: Mode, method: str
) -> None:
    # A message of ours makes the look-up ask who we are.
    await chat._client.chat_postMessage(
        channel=team.channel.id, text="earlier", metadata={"event_type": "x", "event_payload": {}}
    )
    slack.faults.active.append(Fault(mode, frozenset({method}), times=1))
    with pytest.raises(ChatUnavailableError):
        await chat.publish(Notice(state=incident))
    await chat.publish(Notice(state=incident))
    assert len(slack.workspace.messages(team.channel.id)) == 2


async def test_being_told_to_slow_down_carries_the_time_to_wait(
    chat: SlackChat, slack: SlackStandin, incident: IncidentState
) -> None:
    slack.faults.active.append(Fault(Mode.RATE_LIMITED, seconds=17))
    with pytest.raises(ChatUnavailableError) as raised:
        await chat.publish(Notice(state=incident))
    assert raised.value.retry_after == timedelta(seconds=17)


async def test_no_answer_in_time_is_unavailable(chat: SlackChat, slack: SlackStandin, incident: IncidentState) -> None:
    chat._client.timeout = 1
    slack.faults.active.append(Fault(Mode.SLOW, seconds=1.5, times=1))
    with pytest.raises(ChatUnavailableError):
        await chat.publish(Notice(state=incident))


@pytest.mark.parametrize("code", ["internal_error", "fatal_error", "service_unavailable", "ratelimited", "team_added_to_org"])
async def test_a_passing_error_code_is_unavailable(
    chat: SlackChat, slack: SlackStandin, incident: IncidentState, code: str
) -> None:
    slack.faults.active.append(Fault(Mode.REFUSED, code=code))
    with pytest.raises(ChatUnavailableError, match=code):
        await chat.publish(Notice(state=incident))


@pytest.mark.parametrize(
    "code",
    [
        "invalid_auth",
        "token_revoked",
        "account_inactive",
        "is_archived",
        "invalid_blocks",
        "cant_update_message",
        "never_heard_of",
    ],
)
async def test_a_lasting_error_is_rejected(chat: SlackChat, slack: SlackStandin, incident: IncidentState, code: str) -> None:
    slack.faults.active.append(Fault(Mode.REFUSED, code=code))
    with pytest.raises(ChatRejectedError, match=code):
        await chat.publish(Notice(state=incident))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"channel": "C0NOWHERE"}, "channel_not_found", id="no such channel"),
        pytest.param({"bot_token": SecretStr("xoxb-wrong")}, "invalid_auth", id="wrong token"),
    ],
)
async def test_a_wrong_setting_is_rejected_and_never_shows_the_token(
    settings: SlackSettings, incident: IncidentState, changes: dict[str, object], code: str
) -> None:
    with pytest.raises(ChatRejectedError, match=code) as raised:
        await slack_chat(settings.model_copy(update=changes)).publish(Notice(state=incident))
    assert "xoxb" not in str(raised.value)


async def test_a_channel_that_the_bot_was_not_invited_to_is_rejected(
    settings: SlackSettings, slack: SlackStandin, incident: IncidentState
) -> None:
    elsewhere = slack.workspace.add_channel("elsewhere", with_bot=False)
    with pytest.raises(ChatRejectedError, match="not_in_channel"):
        await slack_chat(settings.model_copy(update={"channel": elsewhere.id})).publish(Notice(state=incident))


async def test_a_missing_scope_is_named(settings: SlackSettings, slack: SlackStandin, incident: IncidentState) -> None:
    slack.workspace.scopes = frozenset({"channels:history"})
    with pytest.raises(ChatRejectedError, match=r"missing_scope.*chat:write"):
        await slack_chat(settings).publish(Notice(state=incident))


@pytest.mark.parametrize("missing", ["bot_token", "channel"])
def test_a_missing_setting_is_named(settings: SlackSettings, missing: str) -> None:
    with pytest.raises(SettingsError, match=missing.upper()):
        slack_chat(settings.model_copy(update={missing: None}))


@pytest.mark.usefixtures("slack_app")
def test_slack_side_leaves_the_level_of_our_own_logs_alone() -> None:
    assert logging.getLogger("opsmend").level == logging.NOTSET
