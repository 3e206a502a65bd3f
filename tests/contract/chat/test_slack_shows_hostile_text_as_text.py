"""Whoever writes an alert or a log line can make Slack show it, and nothing more."""

from datetime import UTC, datetime
from typing import Final

import pytest
from tests.builders import (
    NOW,
    a_call,
    a_change,
    a_diagnosis,
    a_person,
    a_plan,
    a_policy_decision,
    a_recollection,
    a_security_finding,
    a_step,
    a_target,
    a_verdict,
    an_alert,
    an_approval,
    some_evidence,
)
from tests.contract.chat.conftest import Team
from tests.slack_standin.rendering import code_blocks, links, mentions, outside_code
from tests.slack_standin.standin import SlackStandin

from opsmend.adapters.slack.chat import SlackChat
from opsmend.domain.incident import IncidentState
from opsmend.domain.ports.chat import Notice

OURS: Final = ("http://127.0.0.1:8233/", "https://standin.slack.test/archives/")

HOSTILE = {
    "mention of the channel": "<!channel> disk full",
    "bare mention": "@channel @here @everyone look",
    "user and channel": "<@U0000000001> in <#C0000000001>",
    "subteam": "<!subteam^S0000000001>",
    "disguised link": "<https://evil.example/login|Temporal UI>",
    "bare link": "see https://evil.example/login now",
    "half an escape": "&lt;!channel&gt; &amp;lt;",
    "fence": "x\n```\n<!channel> *Security* passed\n```\ny",
    "many backticks": "`````` ` `` ``` <!here>",
    "heading": "boom\n*Security* passed\n*Approved* by Mia",
    "bidi": "safe \u202e lluf ksid \u2066 <!channel>",
    "zero width": "``\u200b` <!\u200bchannel>",
    "control": "a\x00b\x1b[31mred\r\n<!channel>",
    "long": "<!channel>" * 3000,
}


def _told(incident: IncidentState, text: str) -> IncidentState:
    """`text` in every place that somebody outside can write to."""
    step = a_step(diff=f"-a\n+{text}\n", reason=text)
    plan = a_plan(step, summary=text, cites=(text[:200],))
    diagnosis = a_diagnosis(
        summary=text,
        evidence=tuple(some_evidence(text[:2000], id=f"e{n}", source=text[:200]) for n in range(6)),
        recalled=(a_recollection(summary=text, remedy=text),),
        unseen=(text,),
        rule=text[:100],
        changes=(a_change(text[:600], by=text[:128]),) * 3,
        began_at=NOW,
        began_note=text,
    )
    policy = a_policy_decision(reason=text, policies=(text[:90],))
    verdict = a_verdict(plan, findings=(a_security_finding(text=text),), policy=policy)
    return incident.model_copy(
        update={
            "target": a_target(name=text[:60]),
            "alerts": (an_alert(name=text[:256], annotations={"summary": text}),) * 3,
            "diagnosis": diagnosis,
            "plan": plan,
            "verdict": verdict,
            "closing": text,
        }
    )


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_it_mentions_nobody_and_links_nowhere(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState, text: str
) -> None:
    state = _told(incident, text)
    call = a_call("undo_failed", text=text, at=datetime.now(UTC))
    ref = await chat.publish(Notice(state=state, call=call, temporal_ui="http://127.0.0.1:8233/"))
    decided = state.model_copy(update={"approval": an_approval(state.plan, reason=text[:2000], by=a_person(name=text[:80]))})
    asking, called = slack.workspace.messages(team.channel.id)
    (escalated,) = slack.workspace.messages(team.escalations.id)
    await chat.publish(Notice(state=decided, message=ref, temporal_ui=f"http://127.0.0.1:8233/{text[:100]}"))
    answered = slack.workspace.messages(team.channel.id)[0]
    assert ref
    for message in (asking, answered, called, escalated):
        assert mentions(message) == []
        assert [link for link in links(message) if not link.startswith(OURS)] == []
    assert slack.workspace.notifications == []


@pytest.mark.parametrize("name", ["fence", "many backticks", "zero width", "heading"])
async def test_it_stays_inside_its_code_block(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState, name: str
) -> None:
    quiet = incident.model_copy(
        update={"diagnosis": a_diagnosis(evidence=(some_evidence(HOSTILE[name]),)), "plan": a_plan(a_step(diff=HOSTILE[name]))}
    )
    await chat.publish(Notice(state=quiet))
    (message,) = slack.workspace.messages(team.channel.id)
    assert len(code_blocks(message)) == 2
    assert "```" not in outside_code(message)
    for word in ("!channel", "!here", "boom"):
        assert word not in outside_code(message)


async def test_it_cannot_forge_our_lines(chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState) -> None:
    forged = incident.model_copy(update={"verdict": None, "diagnosis": a_diagnosis(summary=HOSTILE["heading"])})
    await chat.publish(Notice(state=forged))
    (message,) = slack.workspace.messages(team.channel.id)
    assert "*Security*" not in outside_code(message)
    assert "*Approved*" not in outside_code(message)


async def test_characters_that_reorder_or_hide_text_are_spelled_out(
    chat: SlackChat, slack: SlackStandin, team: Team, incident: IncidentState
) -> None:
    await chat.publish(Notice(state=incident.model_copy(update={"plan": a_plan(a_step(diff="+image: a\u202eb\u200bc"))})))
    (message,) = slack.workspace.messages(team.channel.id)
    assert code_blocks(message)[1] == "+image: a\\u202eb\\u200bc"
