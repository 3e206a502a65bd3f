"""Many incidents in one message, and a call that does not wait for progress messages."""

from datetime import UTC, datetime

import pytest
from tests.builders import a_target
from tests.contract.chat.conftest import Team
from tests.slack_standin.faults import Fault, Mode
from tests.slack_standin.standin import SlackStandin

from opsmend.adapters.slack.chat import SlackChat
from opsmend.domain.alert import Severity
from opsmend.domain.call import Call, CallReason
from opsmend.domain.incident import IncidentState
from opsmend.domain.ports.chat import Notice, StormDigest
from opsmend.domain.untold import Untold
from opsmend.errors import ChatUnavailableError


def a_digest(waiting: int = 40) -> StormDigest:
    target = a_target(name="<!channel>")
    return StormDigest(
        key="storm:1",
        since=datetime.now(UTC),
        waiting=waiting,
        severities={Severity.CRITICAL: 1, Severity.WARNING: 39},
        namespaces={"shop": 40},
        more_namespaces=3,
        gravest=(Untold(incident_id="incident:x", run_id="1", target=target, severity=Severity.CRITICAL),),
    )


async def test_the_digest_is_one_message_that_is_edited(chat: SlackChat, slack: SlackStandin, team: Team) -> None:
    slack.faults.active.append(Fault(Mode.ANSWER_LOST, frozenset({"chat.postMessage"}), times=1))
    with pytest.raises(ChatUnavailableError):
        await chat.tell_digest(a_digest(), None)
    ref = await chat.tell_digest(a_digest(), None)
    (message,) = slack.workspace.messages(team.channel.id)
    assert "40 more incidents: 1 critical, 39 warning" in message["text"]
    assert "shop 40 and 3 more" in str(message["blocks"])
    assert "<!channel>" not in str(message["blocks"]), "a name calls nobody"
    await chat.tell_digest(a_digest(waiting=0), ref)
    (message,) = slack.workspace.messages(team.channel.id)
    assert "each of its incidents has a message of its own" in message["text"]


async def test_a_call_does_not_wait_until_slack_takes_edits_again(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    message = await chat.publish(Notice(state=incident))
    slack.faults.active.append(Fault(Mode.RATE_LIMITED, frozenset({"chat.update"}), times=1))
    call = Call(reason=CallReason.QUESTION, text="May web be rolled back?", key="q", at=datetime.now(UTC))
    notice = Notice(state=incident, message=message, call=call)
    with pytest.raises(ChatUnavailableError):
        await chat.publish(notice)
    said = [m for m in slack.workspace.messages(team.channel.id) if "May web be rolled back?" in m["text"]]
    assert len(said) == 1
    await chat.publish(notice)
    assert len([m for m in slack.workspace.messages(team.channel.id) if "May web be rolled back?" in m["text"]]) == 1
