"""The answer to 'why', as a terminal shows it."""

from rich.console import Group, RenderableType
from rich.text import Text

from opsmend.api.explanation import Explanation, StepReason
from opsmend.console.incident_report import (
    approval_line,
    changes_report,
    diagnosis_report,
    execution_report,
    status_text,
    verdict_report,
    verification_line,
)
from opsmend.console.layout import Indented, listed, say, section, whole


def explanation_report(why: Explanation) -> RenderableType:
    """Which evidence, which rule, which values and why these, what was refused, who let it run, what came of it."""
    parts: list[RenderableType] = [whole(why.id, "bold"), Indented(status_text(why.status, why.outcome)), Text()]
    parts.append(diagnosis_report(why.believed) if why.believed else say("Nothing is believed yet: no diagnosis was made."))
    if why.changed or why.began_note:
        parts.append(changes_report(why.changed, why.began_note))
    parts += [_step(step) for step in why.chosen]
    if why.refused:
        parts.append(section("Not chosen", *listed("instead", [say(f"{o.summary}: {o.refused_because}") for o in why.refused])))
    if why.recalled_from:
        parts.append(section("Remembered from", *(whole(earlier) for earlier in why.recalled_from)))
    if why.judged:
        parts.append(verdict_report(why.judged))
    if why.decided:
        parts.append(approval_line(why.decided))
    if why.done or why.undone:
        parts.append(execution_report(why.done, why.undone))
    if why.verified:
        parts.append(verification_line(why.verified))
    if why.closing:
        parts.append(section("In the end", say(why.closing, "bold")))
    return Group(*parts)


def _step(step: StepReason) -> RenderableType:
    values = [
        Text.assemble(say(value.field, "cyan"), " ", say(value.value, "bold"), say(f": {value.because}"), overflow="ignore")
        for value in step.values
    ]
    cited = [Indented(say(f"{seen.id} {seen.source}: {seen.excerpt}", "dim"), hanging="   ") for seen in step.evidence]
    return section(f"Why: {step.action.summary}", say(step.action.reason), *listed("values", values), *cited)
