"""The answer to 'why', as a terminal shows it."""

from rich.console import Group, RenderableType
from rich.panel import Panel

from opsmend.api.explanation import Explanation, StepReason
from opsmend.console.incident_report import (
    approval_line,
    changes_report,
    diagnosis_report,
    execution_report,
    plain_table,
    say,
    status_text,
    verdict_report,
    verification_line,
)


def explanation_report(why: Explanation) -> RenderableType:
    """Which evidence, which rule, which values and why these, what was refused, who let it run, what came of it."""
    parts: list[RenderableType] = [say(why.id, "bold"), status_text(why.status, why.outcome)]
    parts.append(diagnosis_report(why.believed) if why.believed else say("Nothing is believed yet: no diagnosis was made."))
    if why.changed or why.began_note:
        parts.append(changes_report(why.changed, why.began_note))
    parts += [_step(step) for step in why.chosen]
    if why.refused:
        parts.append(_refused(why))
    if why.recalled_from:
        parts.append(say(f"Remembered from {', '.join(why.recalled_from)}"))
    if why.judged:
        parts.append(verdict_report(why.judged))
    if why.decided:
        parts.append(approval_line(why.decided))
    if why.done or why.undone:
        parts.append(execution_report(why.done, why.undone))
    if why.verified:
        parts.append(verification_line(why.verified))
    if why.closing:
        parts.append(say(why.closing, "bold"))
    return Group(*parts)


def _step(step: StepReason) -> RenderableType:
    values = plain_table("value", "", "because")
    for value in step.values:
        values.add_row(say(value.field, "cyan"), say(value.value, "bold"), say(value.because))
    cited = [say(f"  {seen.id} {seen.source}: {seen.excerpt}", "dim") for seen in step.evidence]
    body = Group(say(step.action.reason), values, *cited)
    return Panel(body, title=say(f"Why: {step.action.summary}"), title_align="left")


def _refused(why: Explanation) -> RenderableType:
    table = plain_table("instead", "refused because")
    for other in why.refused:
        table.add_row(say(other.summary), say(other.refused_because))
    return Panel(table, title="Not chosen", title_align="left")
