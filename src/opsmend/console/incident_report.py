"""An incident as a terminal shows it. Each part can be shown alone, as the demo does while an incident goes on.

Every string of an incident may come from outside, so it is shown as plain text (`say`), never read as rich markup.
"""

from datetime import datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from opsmend.api.backlog import BacklogView
from opsmend.api.incident_view import (
    ActionView,
    ApprovalView,
    ChangeView,
    DiagnosisView,
    IncidentRowView,
    IncidentView,
    ObjectView,
    PlanView,
    RecalledView,
    StepView,
    TimelineView,
    VerdictView,
    VerificationView,
)
from opsmend.console.layout import Indented, fact, listed, say, section, whole
from opsmend.domain.call_ledger import told

_STATUS_STYLES: Final = {
    "investigating": "cyan",
    "awaiting_approval": "bold yellow",
    "executing": "magenta",
    "verifying": "blue",
    "remediated": "bold green",
    "self_resolved": "green",
    "no_action": "green",
    "rolled_back": "bold yellow",
    "escalated": "bold red",
}
_SEVERITY_STYLES: Final = {"note": "dim", "warn": "yellow", "block": "bold red"}
_DIFF_STYLES: Final = {"+": "green", "-": "red", "@": "cyan"}
_FURTHER_IN: Final = "    "


def incident_report(incident: IncidentView) -> RenderableType:
    """All that is known of the incident, in the order in which it came about."""
    parts: list[RenderableType] = [headline(incident)]
    if incident.diagnosis:
        parts.append(diagnosis_report(incident.diagnosis))
    if incident.changes or incident.began_note:
        parts.append(changes_report(incident.changes, incident.began_note))
    if incident.plan:
        parts.append(plan_report(incident.plan))
    if incident.verdict:
        parts.append(verdict_report(incident.verdict))
    if incident.approval:
        parts.append(approval_line(incident.approval))
    if incident.execution or incident.undo:
        parts.append(execution_report(incident.execution, incident.undo))
    if incident.verification:
        parts.append(verification_line(incident.verification))
    if incident.timeline:
        parts.append(timeline_report(incident.timeline))
    if incident.postmortem:
        parts.append(postmortem_report(incident.postmortem))
    return Group(*parts)


def headline(incident: IncidentView) -> RenderableType:
    """What it is about and where it stands."""
    usage = incident.usage
    tokens = usage.input_tokens + usage.output_tokens
    opened = _clock(incident.opened_at)
    names = ", ".join(f"{alert.name} ({alert.severity}, {alert.status})" for alert in incident.alerts)
    facts = [
        fact("target", whole(f"{_place(incident.target)} in {incident.target.cluster}", "bold")),
        fact("status", status_text(incident.status, incident.outcome)),
        *([fact("closing", say(incident.closing))] if incident.closing else []),
        fact("opened", say(f"{opened}, closed {_clock(incident.closed_at)}" if incident.closed_at else opened)),
        fact("alerts", say(f"{incident.alerts_received} received: {names}")),
        *(
            [fact("left out", say(f"{left_out} alerts of the same group, by the sender"))]
            if (left_out := incident.alerts_left_out)
            else []
        ),
        fact("used", say(f"{usage.tool_calls} tool calls, {tokens} tokens, ${usage.cost_usd:.4f}")),
        *([fact("API", say(told(incident.ledger)))] if incident.ledger else []),
        fact("Temporal", whole(incident.temporal_ui, "blue")),
    ]
    return Group(whole(incident.id, "bold"), *facts, Text())


def status_text(status: str, outcome: str | None) -> Text:
    """`closed: remediated`, coloured by what it means for the reader."""
    word = outcome or status
    return say(f"{status}: {outcome}" if outcome else status, _STATUS_STYLES.get(word, ""))


def diagnosis_report(diagnosis: DiagnosisView) -> RenderableType:
    """What is believed, the evidence that carries it, and what was ruled out."""
    rule = f", by {diagnosis.rule}" if diagnosis.rule else ""
    parts: list[RenderableType] = [
        say(diagnosis.summary, "bold"),
        say(f"{diagnosis.category}, {diagnosis.confidence:.0%} sure, tier {diagnosis.tier}{rule}", "dim"),
    ]
    for seen in diagnosis.evidence:
        parts.append(Text.assemble((seen.id, "cyan"), " ", whole(seen.source), no_wrap=True))
        parts.append(Indented(say(seen.excerpt), _FURTHER_IN + "  "))
    parts += listed("ruled out", [say(f"{cause.what}: {cause.why}") for cause in diagnosis.ruled_out])
    parts += listed("remembered", [_recalled(earlier) for earlier in diagnosis.recalled])
    parts += listed("could not be seen", [say(text) for text in diagnosis.unseen])
    return section("Diagnosis", *parts)


def changes_report(changes: list[ChangeView], note: str) -> RenderableType:
    """What was changed around the target, each with how long before the trouble began; `note` is on doubtful clocks."""
    parts: list[RenderableType] = []
    for change in changes:
        style = "dim" if change.author == "kubernetes" else "bold" if change.seconds_before >= 0 else ""
        when, where = say(f"{change.when}  ", "cyan"), say(f"{_place(change.object)}: ")
        by = say(f", by {change.by}", "dim") if change.by else Text()
        parts.append(Indented(Text.assemble(when, where, say(change.what, style), by), hanging="  "))
    return section("What changed before it", *parts, *([say(note, "yellow")] if note else []))


def plan_report(plan: PlanView) -> RenderableType:
    """What opsmend wants to do, exactly: this is what an approval binds to."""
    parts: list[RenderableType] = [say(plan.summary, "bold")]
    for action in plan.actions:
        parts += _action(action)
    parts += listed("not chosen", [say(f"{other.summary}: {other.refused_because}") for other in plan.alternatives])
    parts += listed("leans on", [whole(cited) for cited in plan.cites])
    parts.append(Text.assemble(("plan hash ", "dim"), say(plan.hash, "yellow"), no_wrap=True))
    return section("Plan", *parts)


def diff_text(diff: str) -> Text:
    """A unified diff, coloured line by line, each line as it is."""
    text = Text("\n").join(say(line, _diff_style(line)) for line in diff.splitlines())
    text.no_wrap = True
    return text


def verdict_report(verdict: VerdictView) -> RenderableType:
    """Security's word, and the policies that decided by name."""
    word = say("passed", "bold green") if verdict.passed else say("blocked", "bold red")
    parts: list[RenderableType] = [Text.assemble("Security: ", word)]
    for finding in verdict.findings:
        style = _SEVERITY_STYLES.get(finding.severity, "")
        parts.append(Indented(say(f"{finding.severity}: {finding.check}: {finding.text}", style), _FURTHER_IN))
    policy = verdict.policy
    parts.append(say(f"Policy: {policy.autonomy}, by {', '.join(policy.policies) or 'no policy'}: {policy.reason}"))
    return section("Verdict", *parts)


def approval_line(approval: ApprovalView) -> RenderableType:
    approved = approval.decision == "approve"
    who = f"{approval.by.name or approval.by.id} ({approval.by.via})"
    why = f": {approval.reason}" if approval.reason else ""
    word = "approved" if approved else "rejected"
    return section("Answer", say(f"{_clock(approval.at)} {word} by {who}{why}", "green" if approved else "red"))


def execution_report(done: list[StepView], undone: list[StepView]) -> RenderableType:
    """What was done and what was taken back, step by step."""
    parts: list[RenderableType] = []
    for step in [*done, *undone]:
        parts.append(Text.assemble(say(f"{step.step} {step.action}: "), say(step.status, "bold")))
        if step.detail:
            parts.append(Indented(say(step.detail), _FURTHER_IN))
    return section("Execution", *parts)


def verification_line(verification: VerificationView) -> RenderableType:
    style = "bold green" if verification.health == "healthy" else "bold red"
    unseen = f" (could not be seen: {'; '.join(verification.unseen)})" if verification.unseen else ""
    said = f"Verified {verification.health} in {verification.checks} checks: {verification.summary}{unseen}"
    return section("Verification", say(said, style))


def timeline_report(timeline: list[TimelineView]) -> RenderableType:
    return section("Timeline", *(timeline_line(entry, _clock(entry.at)) for entry in timeline))


def timeline_line(entry: TimelineView, at: str) -> RenderableType:
    """One line of the timeline; `at` is its time as the reader wants it."""
    line = Text.assemble(say(at, "dim"), " ", say(f"{entry.event:<20} ", "cyan"), say(entry.detail), overflow="ignore")
    return Indented(line, hanging=_FURTHER_IN)


def postmortem_report(markdown: str) -> RenderableType:
    """As it was written, in Markdown: it is copied into tickets."""
    return section("Post-mortem", say(markdown.strip()))


def incident_list(rows: list[IncidentRowView]) -> RenderableType:
    """One line an incident, newest first."""
    return Group(*(_row(row) for row in rows))


def backlog_line(backlog: BacklogView) -> RenderableType:
    minutes, seconds = divmod(backlog.oldest_seconds, 60)
    waits = f"{minutes} min" if minutes else f"{seconds} s"
    incidents = "1 incident waits" if backlog.incidents == 1 else f"{backlog.incidents} incidents wait"
    return say(f"About {incidents} to be looked into, the oldest for {waits}.", "yellow")


def _row(row: IncidentRowView) -> Text:
    status = status_text(row.status, row.outcome)
    status.pad_right(max(0, _WIDEST_STATUS - len(status)))
    opened = _clock(datetime.fromisoformat(row.opened_at))
    return Text.assemble(say(opened, "dim"), "  ", status, "  ", whole(row.id, "bold"), overflow="ignore", no_wrap=True)


_WIDEST_STATUS: Final = len("closed: self_resolved")


def _action(action: ActionView) -> list[RenderableType]:
    return [
        Text.assemble(say(f"{action.step}. {action.summary} "), say(f"[{action.type}]", "dim"), overflow="ignore"),
        Indented(diff_text(action.diff), _FURTHER_IN),
        fact("because", say(action.reason)),
        fact("touches", say(action.blast_radius.summary)),
        fact("undone by", say(action.inverse.summary)),
    ]


def _place(what: ObjectView) -> str:
    return f"{what.kind} {what.namespace}/{what.name}" if what.namespace else f"{what.kind} {what.name}"


def _recalled(earlier: RecalledView) -> Text:
    return say(f"{earlier.incident_id} ({earlier.score:.2f}): {earlier.summary}; then: {earlier.remedy} → {earlier.outcome}")


def _diff_style(line: str) -> str:
    if line.startswith(("+++", "---")):
        return "bold"
    return _DIFF_STYLES.get(line[:1], "")


def _clock(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
