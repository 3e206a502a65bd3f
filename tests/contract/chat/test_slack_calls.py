"""A person who is needed is called by a message that notifies; nothing else notifies anybody."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from tests.builders import a_call, an_alert, an_approval, an_execution
from tests.contract.chat.conftest import Team
from tests.slack_standin.faults import Fault, Mode
from tests.slack_standin.rendering import links
from tests.slack_standin.standin import SlackStandin
from tests.slack_standin.workspace import Message

from opsmend.adapters.slack.chat import SlackChat, slack_chat
from opsmend.domain.call import BEYOND_THE_TEAM, Call, CallReason
from opsmend.domain.incident import IncidentState
from opsmend.domain.mentions import read_mentions
from opsmend.domain.ports.chat import Notice
from opsmend.errors import ChatRejectedError, ChatUnavailableError
from opsmend.settings import SlackSettings

WITHIN_THE_TEAM: Final = (CallReason.QUESTION, CallReason.REMINDER)


def a_call_now(reason: str = "question", **changes: Any) -> Call:
    return a_call(reason, **({"at": datetime.now(UTC)} | changes))


@pytest.fixture
def sre(slack: SlackStandin, team: Team) -> str:
    """The id of the user group in which Mia is."""
    return next(group.id for group in slack.workspace.usergroups.values() if group.handle == "sre")


@pytest.fixture
def calling(settings: SlackSettings, team: Team) -> SlackChat:
    """Mentions Mia for whatever happens."""
    return slack_chat(settings.model_copy(update={"mentions": read_mentions(f"*={team.mia.id}")}))


def thread_of(slack: SlackStandin, team: Team) -> list[Message]:
    """The replies to the incident's message, which is the first of its channel."""
    return slack.workspace.replies(team.channel.id, slack.workspace.messages(team.channel.id)[0]["ts"])


async def test_progress_notifies_nobody(calling: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState) -> None:
    ref = None
    for changes in (
        {"status": "investigating", "plan": None, "verdict": None},
        {},
        {"approval": an_approval(incident.plan), "status": "executing"},
        {"execution": an_execution(), "status": "verifying"},
        {"status": "closed", "outcome": "rolled_back", "closing": "it did not help"},
    ):
        ref = await calling.publish(Notice(state=incident.model_copy(update=changes), message=ref))
    assert len(slack.workspace.messages(team.channel.id)) == 1
    assert slack.workspace.notifications == []


@pytest.mark.parametrize("reason", CallReason)
async def test_a_call_notifies_exactly_the_mentioned_by_one_message_in_the_thread_and_in_the_channel(
    calling: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState, reason: CallReason
) -> None:
    await calling.publish(Notice(state=incident, call=a_call_now(reason)))
    first, call = slack.workspace.messages(team.channel.id)
    assert (call["thread_ts"], call["subtype"]) == (first["ts"], "thread_broadcast")
    assert call["text"].startswith(f"<@{team.mia.id}> ")
    assert links(call) == [permalink(first, team.channel.id)]
    heard = [n for n in slack.workspace.notifications if n.channel == team.channel.id]
    assert [(n.user, n.ts) for n in heard] == [(team.mia.id, call["ts"])]


@pytest.mark.parametrize("reason", CallReason)
async def test_the_escalation_channel_gets_the_same_message_at_once_once_the_team_alone_is_not_enough(
    calling: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState, reason: CallReason
) -> None:
    assert incident.escalations == 0
    await calling.publish(Notice(state=incident, call=a_call_now(reason)))
    said = [message["text"] for message in slack.workspace.messages(team.escalations.id)]
    in_channel = slack.workspace.messages(team.channel.id)[1]["text"]
    assert said == ([] if reason in WITHIN_THE_TEAM else [in_channel])
    assert len(slack.workspace.notified(team.mia)) == 1 + len(said)


def test_every_reason_goes_one_way_or_the_other() -> None:
    assert {*WITHIN_THE_TEAM, *BEYOND_THE_TEAM} == set(CallReason)
    assert not BEYOND_THE_TEAM & set(WITHIN_THE_TEAM)


async def test_it_says_what_is_needed_from_whom_and_until_when(
    calling: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    until = datetime(2026, 3, 14, 17, 0, tzinfo=UTC)
    await calling.publish(Notice(state=incident, call=a_call_now(text="A plan waits: roll web back.", until=until)))
    mention, *rest = slack.workspace.messages(team.channel.id)[1]["text"].split("\n")
    assert mention == f"<@{team.mia.id}> ✋ waiting for your decision · Deployment shop/web"
    assert rest[0] == "A plan waits: roll web back. Somebody who may decide has to answer by 2026-03-14 17:00 UTC."


async def test_a_call_is_made_once_however_often_its_activity_runs(
    calling: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    call = a_call_now("escalation")
    ref = await calling.publish(Notice(state=incident, call=call))
    moved_on = incident.model_copy(update={"alerts_received": 7})
    await calling.publish(Notice(state=moved_on, message=ref, call=call))
    await calling.publish(Notice(state=moved_on, call=call))
    assert len(thread_of(slack, team)) == 1
    assert len(slack.workspace.messages(team.escalations.id)) == 1


async def test_a_second_call_for_the_same_reason_calls_again(
    calling: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    for number in range(2):
        await calling.publish(Notice(state=incident, call=a_call_now("escalation", key=f"escalation-{number}")))
    assert len(thread_of(slack, team)) == 2
    assert len(slack.workspace.messages(team.escalations.id)) == 2
    assert len(slack.workspace.notified(team.mia)) == 4


async def test_the_next_run_of_an_incident_makes_its_own_calls(
    calling: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    call = a_call_now("escalation")
    await calling.publish(Notice(state=incident, call=call))
    await calling.publish(Notice(state=incident.model_copy(update={"run_id": "run-2"}), call=call))
    assert len(slack.workspace.messages(team.escalations.id)) == 2


@pytest.mark.parametrize("method", ["chat.getPermalink", "conversations.replies", "conversations.history", "chat.postMessage"])
@pytest.mark.parametrize("mode", [Mode.UNAVAILABLE, Mode.ANSWER_LOST, Mode.RATE_LIMITED])
async def test_whichever_request_fails_the_call_is_made_once_in_both_channels(
    calling: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState, method: str, mode: Mode
) -> None:
    ref = await calling.publish(Notice(state=incident))
    notice = Notice(state=incident, message=ref, call=a_call_now("undo_failed"))
    slack.faults.active.append(Fault(mode, frozenset({method}), times=1))
    with pytest.raises(ChatUnavailableError):
        await calling.publish(notice)
    await calling.publish(notice)
    assert len(thread_of(slack, team)) == 1
    assert len(slack.workspace.messages(team.escalations.id)) == 1
    assert len(slack.workspace.notified(team.mia)) == 2


async def test_a_call_made_while_slack_was_away_comes_when_it_is_back(
    calling: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    earlier = datetime.now(UTC) - timedelta(hours=5)
    notice = Notice(state=incident.model_copy(update={"opened_at": earlier}), call=a_call_now("expired", at=earlier))
    await slack.go_down()
    with pytest.raises(ChatUnavailableError):
        await calling.publish(notice)
    await slack.come_back()
    await calling.publish(notice)
    await calling.publish(notice)
    assert [len(slack.workspace.messages(c.id)) for c in (team.channel, team.escalations)] == [2, 1]


# --- what one channel refuses is said in the other --------------------------------------------------------------------------


async def test_a_message_that_slack_refuses_keeps_nobody_from_being_called(
    calling: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    ref = await calling.publish(Notice(state=incident))
    slack.faults.active.append(Fault(Mode.REFUSED, frozenset({"chat.update"}), code="msg_blocks_too_long"))
    with pytest.raises(ChatRejectedError, match="msg_blocks_too_long"):
        await calling.publish(Notice(state=incident, message=ref, call=a_call_now("rolled_back")))
    assert len(thread_of(slack, team)) == 1
    assert len(slack.workspace.messages(team.escalations.id)) == 1


async def test_a_channel_that_is_gone_leaves_the_escalation_channel(
    settings: SlackSettings, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    chat = slack_chat(settings.model_copy(update={"channel": "C0NOWHERE"}))
    with pytest.raises(ChatRejectedError, match="channel_not_found"):
        await chat.publish(Notice(state=incident, call=a_call_now("rolled_back")))
    (call,) = slack.workspace.messages(team.escalations.id)
    assert links(call) == []


async def test_an_escalation_channel_that_is_gone_leaves_the_channel(
    settings: SlackSettings, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    chat = slack_chat(settings.model_copy(update={"escalation_channel": "C0NOWHERE"}))
    with pytest.raises(ChatRejectedError, match="channel_not_found"):
        await chat.publish(Notice(state=incident, call=a_call_now("rolled_back")))
    assert len(thread_of(slack, team)) == 1


async def test_without_a_channel_of_its_own_an_escalation_is_said_once(
    settings: SlackSettings, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    chat = slack_chat(settings.model_copy(update={"escalation_channel": team.channel.id}))
    await chat.publish(Notice(state=incident, call=a_call_now("escalation")))
    assert len(slack.workspace.messages(team.channel.id)) == 2


# --- whom --------------------------------------------------------------------------------------------------------------------


async def test_whom_depends_on_namespace_and_severity(
    settings: SlackSettings, slack: SlackStandin, team: Team, sre: str, incident: IncidentState
) -> None:
    rules = read_mentions(f"*={team.ben.id}; shop=none; shop/critical={sre},{team.ben.id}")
    chat = slack_chat(settings.model_copy(update={"mentions": rules}))
    for severity, called in (("warning", []), ("critical", [team.mia.id, team.ben.id])):
        state = incident.model_copy(update={"alerts": (an_alert(severity=severity),), "run_id": severity})
        await chat.publish(Notice(state=state, call=a_call_now()))
        assert [notification.user for notification in slack.workspace.notifications] == called


@pytest.mark.parametrize("who", ["here", "channel"])
async def test_a_mention_of_all_reaches_them_although_none_of_them_follows_the_thread(
    settings: SlackSettings, slack: SlackStandin, team: Team, incident: IncidentState, who: str
) -> None:
    team.ben.active = False
    chat = slack_chat(settings.model_copy(update={"mentions": read_mentions(f"*={who}")}))
    await chat.publish(Notice(state=incident, call=a_call_now()))
    await chat.publish(Notice(state=incident, call=a_call_now()))
    first, call = slack.workspace.messages(team.channel.id)
    assert links(call) == [permalink(first, team.channel.id)]
    called = [notification.user for notification in slack.workspace.notifications]
    assert called == ([team.mia.id] if who == "here" else sorted([team.mia.id, team.ben.id]))


async def test_without_a_rule_a_call_is_a_message_that_mentions_nobody(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    await chat.publish(Notice(state=incident, call=a_call_now()))
    assert len(slack.workspace.messages(team.channel.id)) == 2
    assert slack.workspace.notifications == []


def permalink(message: Message, channel: str) -> str:
    return f"https://standin.slack.test/archives/{channel}/p{message['ts'].replace('.', '')}"
