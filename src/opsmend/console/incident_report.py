"""An incident as a terminal shows it. Each part can be shown alone, as the demo does while an incident goes on.

Every string of an incident may come from outside, so it is shown as plain text (`say`), never read as rich markup.
"""

from datetime import datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from opsmend.api.incident_view import (
    ActionView,
    ApprovalView,
    ChangeView,
    DiagnosisView,
    IncidentRowView,
    IncidentView,
    PlanView,
    RecalledView,
    StepView,
    TimelineView,
    VerdictView,
    VerificationView,
)
from opsmend.console.printable import printable
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


def say(text: str, style: str = "") -> Text:
    """Text from an incident: nothing in it is markup, no character of it controls the terminal."""
    return Text(printable(text), style=style)


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
    target = incident.target
    place = f"{target.namespace}/" if target.namespace else ""
    facts = _facts()
    facts.add_row("target", say(f"{target.kind} {place}{target.name} in {target.cluster}", "bold"))
    facts.add_row("status", status_text(incident.status, incident.outcome))
    if incident.closing:
        facts.add_row("closing", say(incident.closing))
    opened = _clock(incident.opened_at)
    facts.add_row("opened", say(f"{opened}, closed {_clock(incident.closed_at)}" if incident.closed_at else opened))
    names = ", ".join(f"{alert.name} ({alert.severity}, {alert.status})" for alert in incident.alerts)
    facts.add_row("alerts", say(f"{incident.alerts_received} received: {names}"))
    if incident.alerts_left_out:
        facts.add_row("left out", say(f"{incident.alerts_left_out} alerts of the same group, by the sender"))
    usage = incident.usage
    tokens = usage.input_tokens + usage.output_tokens
    facts.add_row("used", say(f"{usage.tool_calls} tool calls, {tokens} tokens, ${usage.cost_usd:.4f}"))
    if incident.ledger:
        facts.add_row("API", say(told(incident.ledger)))
    facts.add_row("Temporal", say(incident.temporal_ui, "blue"))
    return Panel(facts, title=say(incident.id, "bold"), title_align="left")


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
    if diagnosis.evidence:
        evidence = plain_table("", "seen in", "evidence")
        for seen in diagnosis.evidence:
            evidence.add_row(say(seen.id, "cyan"), say(seen.source), say(seen.excerpt))
        parts.append(evidence)
    parts += _listed("ruled out", [f"{cause.what}: {cause.why}" for cause in diagnosis.ruled_out])
    parts += _listed("remembered", [_recalled(earlier) for earlier in diagnosis.recalled])
    parts += _listed("could not be seen", diagnosis.unseen)
    return Panel(Group(*parts), title="Diagnosis", title_align="left")


def changes_report(changes: list[ChangeView], note: str) -> RenderableType:
    """What was changed around the target, each with how long before the trouble began; `note` is on doubtful clocks."""
    table = plain_table("when", "where", "what", "by")
    for change in changes:
        target = change.object
        place = f"{target.namespace}/" if target.namespace else ""
        style = "dim" if change.author == "kubernetes" else "bold" if change.seconds_before >= 0 else ""
        where = f"{target.kind} {place}{target.name}"
        table.add_row(say(change.when, "cyan"), say(where), say(change.what, style), say(change.by))
    parts: list[RenderableType] = [table] if changes else []
    if note:
        parts.append(say(note, "yellow"))
    return Panel(Group(*parts), title="What changed before it", title_align="left")


def plan_report(plan: PlanView) -> RenderableType:
    """What opsmend wants to do, exactly: this is what an approval binds to."""
    parts: list[RenderableType] = [say(plan.summary, "bold")]
    for action in plan.actions:
        parts += _action(action)
    parts += _listed("not chosen", [f"{other.summary}: {other.refused_because}" for other in plan.alternatives])
    parts += _listed("leans on", plan.cites)
    parts.append(Text.assemble(("plan hash ", "dim"), say(plan.hash, "yellow")))
    return Panel(Group(*parts), title="Plan", title_align="left")


def diff_text(diff: str) -> Text:
    """A unified diff, coloured line by line."""
    lines = [say(line, _diff_style(line)) for line in diff.splitlines()]
    return Text("\n").join(lines)


def verdict_report(verdict: VerdictView) -> RenderableType:
    """Security's word, and the policies that decided by name."""
    word = say("passed", "bold green") if verdict.passed else say("blocked", "bold red")
    parts: list[RenderableType] = [Text.assemble("Security: ", word)]
    for finding in verdict.findings:
        parts.append(say(f"  {finding.severity}: {finding.check}: {finding.text}", _SEVERITY_STYLES.get(finding.severity, "")))
    policy = verdict.policy
    parts.append(say(f"Policy: {policy.autonomy}, by {', '.join(policy.policies) or 'no policy'}: {policy.reason}"))
    return Panel(Group(*parts), title="Verdict", title_align="left")


def approval_line(approval: ApprovalView) -> RenderableType:
    approved = approval.decision == "approve"
    who = f"{approval.by.name or approval.by.id} ({approval.by.via})"
    why = f": {approval.reason}" if approval.reason else ""
    word = "approved" if approved else "rejected"
    return say(f"{_clock(approval.at)} {word} by {who}{why}", "green" if approved else "red")


def execution_report(done: list[StepView], undone: list[StepView]) -> RenderableType:
    """What was done and what was taken back, step by step."""
    steps = plain_table("step", "action", "result", "detail")
    for step in [*done, *undone]:
        steps.add_row(say(step.step), say(step.action), say(step.status, "bold"), say(step.detail))
    return Panel(steps, title="Execution", title_align="left")


def verification_line(verification: VerificationView) -> RenderableType:
    style = "bold green" if verification.health == "healthy" else "bold red"
    unseen = f" (could not be seen: {'; '.join(verification.unseen)})" if verification.unseen else ""
    return say(f"Verified {verification.health} in {verification.checks} checks: {verification.summary}{unseen}", style)


def timeline_report(timeline: list[TimelineView]) -> RenderableType:
    table = plain_table("at", "event", "detail")
    for entry in timeline:
        table.add_row(say(_clock(entry.at), "dim"), say(entry.event, "cyan"), say(entry.detail))
    return Panel(table, title="Timeline", title_align="left")


def postmortem_report(markdown: str) -> RenderableType:
    return Panel(Markdown(printable(markdown), hyperlinks=False), title="Post-mortem", title_align="left")


def incident_table(rows: list[IncidentRowView]) -> RenderableType:
    """The list of incidents, newest first."""
    table = plain_table("opened", "incident", "status", "summary")
    for row in rows:
        opened = _clock(datetime.fromisoformat(row.opened_at))
        table.add_row(say(opened, "dim"), say(row.id), status_text(row.status, row.outcome), say(row.summary))
    return table


def plain_table(*headers: str) -> Table:
    """Columns without lines between. Long values are folded, never cut: an id or a fact in part is none."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def _action(action: ActionView) -> list[RenderableType]:
    facts = _facts()
    facts.add_row("because", say(action.reason))
    facts.add_row("touches", say(action.blast_radius.summary))
    facts.add_row("undone by", say(action.inverse.summary))
    step = Text.assemble(say(f"{action.step}. {action.summary} "), say(f"[{action.type}]", "dim"))
    return [step, Padding(diff_text(action.diff), (0, 0, 0, 2)), Padding(facts, (0, 0, 0, 2))]


def _facts() -> Table:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    return facts


def _recalled(earlier: RecalledView) -> str:
    return f"{earlier.incident_id} ({earlier.score:.2f}): {earlier.summary}; then: {earlier.remedy} → {earlier.outcome}"


def _listed(title: str, items: list[str]) -> list[RenderableType]:
    if not items:
        return []
    return [say(title, "dim"), *(say(f"  • {item}") for item in items)]


def _diff_style(line: str) -> str:
    if line.startswith(("+++", "---")):
        return "bold"
    return _DIFF_STYLES.get(line[:1], "")


def _clock(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
