"""What the one message of an incident says: Notice in, blocks and fallback text out. Pure.

The order is that of a reader who was just woken: what broke, why, what shall be done, who said so, what came of it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from opsmend.adapters.slack.mrkdwn import SECTION_LIMIT, code, code_block, code_blocks, link, prose
from opsmend.adapters.slack.steering_buttons import steering_buttons
from opsmend.domain.approval import Answer, Approval
from opsmend.domain.changes import distance, that_matter
from opsmend.domain.diagnosis import Diagnosis
from opsmend.domain.execution import ExecutionRecord
from opsmend.domain.incident import IncidentState, Outcome, Status
from opsmend.domain.plan import Plan, PlannedStep
from opsmend.domain.ports.chat import Notice
from opsmend.domain.record import JsonObject, StrictRecord
from opsmend.domain.verdict import SecurityVerdict

APPROVE_ACTION: Final = "opsmend_approve"
REJECT_ACTION: Final = "opsmend_reject"
DECISION_BLOCK: Final = "opsmend_decision"
INCIDENT_EVENT: Final = "opsmend_incident"

MESSAGE_LIMIT: Final = 12_000
"""Characters of all blocks together. Slack refuses more with msg_blocks_too_long: measured at 13,297 for text alone, and each
block costs some 125 of them (https://github.com/slackapi/bolt-js/issues/2509)."""
BLOCK_COST: Final = 125
SHOWN_STEPS: Final = 5
SHOWN_EVIDENCE: Final = 4
SHOWN_CHANGES: Final = 3

_STATUS: Final = {
    Status.INVESTIGATING: "🔎 investigating",
    Status.AWAITING_APPROVAL: "✋ waiting for your decision",
    Status.EXECUTING: "🔧 carrying out the plan",
    Status.VERIFYING: "🩺 checking that it helped",
    Status.CLOSED: "closed",
}
_OUTCOME: Final = {
    Outcome.REMEDIATED: "✅ remediated",
    Outcome.SELF_RESOLVED: "✅ resolved by itself",
    Outcome.NO_ACTION: "👌 no action needed",
    Outcome.ROLLED_BACK: "↩️ change undone, a person is needed",
    Outcome.ESCALATED: "🚨 escalated, a person is needed",
}


class Question(StrictRecord):
    """What a button is about. It comes back from outside, so the desk decides what it is worth."""

    incident_id: str
    plan_hash: str


@dataclass(frozen=True)
class Message:
    """Arguments of chat.postMessage and chat.update. `text` is what notifications and screen readers get."""

    text: str
    blocks: list[JsonObject]
    metadata: JsonObject


def render(notice: Notice) -> Message:
    """The message as it shall stand now."""
    state = notice.state
    before, after = _before_the_diffs(state), _after_the_diffs(notice)
    steps = _steps(state.plan, MESSAGE_LIMIT - _cost(before) - _cost(after)) if state.plan else []
    return Message(
        text=f"{headline(state)}: {prose(state.in_short, 300)}",
        blocks=[block.to_dict() for block in (*before, *steps, *after)],
        metadata={"event_type": INCIDENT_EVENT, "event_payload": {"incident_id": state.id, "run_id": state.run_id}},
    )


def headline(state: IncidentState) -> str:
    """Status and target in a line, within the 150 characters of a header block."""
    status = _OUTCOME[state.outcome] if state.outcome else _STATUS[state.status]
    return f"{status} · {prose(str(state.target), 100)}"


def _before_the_diffs(state: IncidentState) -> list[Block]:
    blocks: list[Block] = [
        HeaderBlock(text=PlainTextObject(text=headline(state), emoji=False)),
        _section(_situation(state)),
    ]
    if state.diagnosis:
        blocks += _diagnosis(state.diagnosis)
    if state.plan:
        blocks += [DividerBlock(), _section(_plan(state.plan))]
    return blocks


def _after_the_diffs(notice: Notice) -> list[Block]:
    state = notice.state
    blocks: list[Block] = []
    if state.verdict:
        blocks.append(_section(_verdict(state.verdict)))
    if state.approval:
        blocks.append(_section(_approval(state.approval)))
    if what_happened := _what_happened(state):
        blocks.append(_section(what_happened))
    if state.status is Status.AWAITING_APPROVAL and state.plan and not state.approval:
        blocks.append(_buttons(Question(incident_id=state.id, plan_hash=state.plan.hash)))
    blocks += steering_buttons(state)
    blocks.append(_origin(notice))
    return blocks


def _situation(state: IncidentState) -> str:
    severities = sorted({alert.severity for alert in state.alerts})
    received = f", received {state.alerts_received} times" if state.alerts_received > len(state.alerts) else ""
    lines = [
        "*What broke*",
        *(f"• {prose(alert.name, 80)}: {prose(alert.summary, 250)}" for alert in state.alerts[:2]),
        _and_more(len(state.alerts) - 2, "alerts"),
        _left_out(state.alerts_left_out),
        f"Severity {', '.join(severities) or 'unknown'} · {_counted(len(state.alerts), 'alert')}{received}"
        f" · since {state.opened_at:%Y-%m-%d %H:%M} {state.opened_at.tzname()}",
    ]
    return _lines(lines)


def _diagnosis(diagnosis: Diagnosis) -> list[Block]:
    rule = f", {code(diagnosis.rule, 60)}" if diagnosis.rule else ""
    blocks: list[Block] = [
        _section(
            f"*Why*\n{prose(diagnosis.summary, 600)}\n"
            f"{code(diagnosis.category, 40)} at {prose(str(diagnosis.resource), 120)}"
            f" · confidence {diagnosis.confidence:.0%} by {diagnosis.tier}{rule}"
        )
    ]
    if diagnosis.evidence:
        blocks.append(_section(_evidence(diagnosis)))
    if diagnosis.changes and diagnosis.began_at:
        blocks.append(_section(_changes(diagnosis, diagnosis.began_at)))
    if doubts := _doubts(diagnosis):
        blocks.append(_section(doubts))
    return blocks


def _evidence(diagnosis: Diagnosis) -> str:
    shown = diagnosis.evidence[:SHOWN_EVIDENCE]
    entries = [f"{code(e.id, 20)} {prose(e.source, 120)}\n{code_block(e.excerpt, 350)}" for e in shown]
    return _lines(["*Evidence*", *entries, _and_more(len(diagnosis.evidence) - len(shown), "pieces of evidence")])


def _changes(diagnosis: Diagnosis, began: datetime) -> str:
    shown = that_matter(diagnosis.changes, began, SHOWN_CHANGES)
    entries = [f"• {distance(change.at, began)}: {prose(str(change), 250)}" for change in shown]
    left = _and_more(len(diagnosis.changes) - len(shown), "changes")
    return _lines(["*What changed before it*", *entries, left, prose(diagnosis.began_note, 300)])


def _doubts(diagnosis: Diagnosis) -> str:
    lines: list[str] = []
    if diagnosis.ruled_out:
        lines += ["*Ruled out*", *(f"• {prose(r.what, 80)}: {prose(r.why, 120)}" for r in diagnosis.ruled_out[:4])]
        lines.append(_and_more(len(diagnosis.ruled_out) - 4, "causes ruled out"))
    if diagnosis.unseen:
        lines += ["*Could not be seen*", *(f"• {prose(text, 120)}" for text in diagnosis.unseen[:3])]
        lines.append(_and_more(len(diagnosis.unseen) - 3, "things unseen"))
    if diagnosis.recalled:
        lines += ["*Seen before*", *(f"• {prose(r.summary, 120)} → {prose(r.remedy, 80)}" for r in diagnosis.recalled[:2])]
    return _lines(lines)


def _plan(plan: Plan) -> str:
    lines = [f"*Plan* {code(plan.short_hash, 20)}", prose(plan.summary, 400)]
    if plan.alternatives:
        lines += [
            "*Not chosen*",
            *(f"• {prose(a.summary, 80)}: {prose(a.refused_because, 120)}" for a in plan.alternatives[:3]),
        ]
    if plan.cites:
        lines.append(f"*Leans on* {', '.join(code(cited, 120) for cited in plan.cites[:2])}")
    return _lines(lines)


def _steps(plan: Plan, budget: int) -> list[Block]:
    """The steps with their diffs, in `budget` characters; what does not fit is counted out loud."""
    shown = plan.steps[:SHOWN_STEPS]
    texts = [_step(step) for step in shown]
    warning_cost = 2 * BLOCK_COST
    left = budget - sum(len(text) + BLOCK_COST for text in texts) - warning_cost
    blocks: list[Block] = []
    missing = 0
    for step, text in zip(shown, texts, strict=True):
        parts, left_out = code_blocks(step.diff, max(left - 2 * BLOCK_COST, 0), SECTION_LIMIT)
        blocks += [_section(text), *(_section(part) for part in parts)]
        left -= sum(len(part) + BLOCK_COST for part in parts)
        missing += left_out
    if hidden := _hidden(len(plan.steps) - len(shown), missing):
        blocks.append(_section(hidden))
    return blocks


def _step(step: PlannedStep) -> str:
    return _lines(
        [
            f"*Step {prose(step.id, 10)}* {prose(step.action.summary(), 250)}",
            f"*Because* {prose(step.reason, 250)}" if step.reason else "",
            f"*Touches* {prose(str(step.blast_radius), 150)}",
            f"*Undone by* {prose(step.inverse.summary(), 150)}",
        ]
    )


def _hidden(steps: int, lines: int) -> str:
    missing = [_counted(steps, "step")] if steps > 0 else []
    missing += [_counted(lines, "line") + " of the diff"] if lines > 0 else []
    if not missing:
        return ""
    return f"⚠️ *Not all of the plan fits here*: {' and '.join(missing)} left out. Read it whole before you decide (link below)."


def _verdict(verdict: SecurityVerdict) -> str:
    policy = verdict.policy
    return _lines(
        [
            f"*Security* {'passed' if verdict.passed else '⛔ blocked'}",
            *(f"• {prose(f.severity, 10)} {code(f.check, 60)} {prose(f.text, 150)}" for f in verdict.findings[:4]),
            _and_more(len(verdict.findings) - 4, "findings"),
            f"*Policy* {code(policy.autonomy, 20)} by {', '.join(code(name, 80) for name in policy.policies[:4]) or 'default'}",
            prose(policy.reason, 200),
        ]
    )


def _approval(approval: Approval) -> str:
    verb = "Approved" if approval.decision is Answer.APPROVE else "Rejected"
    reason = f"\n> {prose(approval.reason, 400)}" if approval.reason else ""
    return f"*{verb}* by {prose(str(approval.by), 100)} at {approval.at:%Y-%m-%d %H:%M} {approval.at.tzname()}{reason}"


def _what_happened(state: IncidentState) -> str:
    lines: list[str] = []
    if state.execution:
        lines += ["*Done*", *_execution(state.execution)]
    if state.undo:
        lines += ["*Undone*", *_execution(state.undo)]
    if state.verification:
        lines.append(f"*Verified* {state.verification.health}: {prose(state.verification.summary, 250)}")
    if state.outcome:
        lines.append(f"*Outcome* {_OUTCOME[state.outcome]}: {prose(state.closing, 300)}")
    return _lines(lines)


def _execution(record: ExecutionRecord) -> list[str]:
    return [
        f"• step {prose(s.step_id, 20)} {prose(s.status, 20)} {prose(s.detail, 100)}".rstrip()
        for s in record.steps[:SHOWN_STEPS]
    ]


def _buttons(question: Question) -> Block:
    value = question.model_dump_json()
    return ActionsBlock(
        block_id=DECISION_BLOCK,
        elements=[
            ButtonElement(text=_plain("Approve"), action_id=APPROVE_ACTION, value=value, style="primary"),
            ButtonElement(text=_plain("Reject…"), action_id=REJECT_ACTION, value=value, style="danger"),
        ],
    )


def _origin(notice: Notice) -> Block:
    ui = f" · {link(notice.temporal_ui, 'open in Temporal')}" if notice.temporal_ui else ""
    return ContextBlock(elements=[_markdown(f"{code(notice.state.id, 300)}{ui}")])


def _section(text: str) -> Block:
    return SectionBlock(text=_markdown(text))


def _markdown(text: str) -> MarkdownTextObject:
    # verbatim: Slack must not turn bare URLs, @names and #names of foreign text into links and mentions.
    return MarkdownTextObject(text=text, verbatim=True)


def _plain(text: str) -> PlainTextObject:
    return PlainTextObject(text=text, emoji=False)


def _cost(blocks: list[Block]) -> int:
    return sum(BLOCK_COST + sum(len(text) for text in _texts(block.to_dict())) for block in blocks)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for key, item in value.items() if key != "type" for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def _lines(lines: list[str]) -> str:
    return "\n".join(line for line in lines if line)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _and_more(number: int, what: str) -> str:
    return f"_and {number} more {what}_" if number > 0 else ""


def _left_out(number: int) -> str:
    return f"_the sender left out {_counted(number, 'alert')} of this group_" if number else ""
