"""`opsmend doctor`: does everything that opsmend leans on work?"""

from typing import Annotated, Final

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from opsmend.cli.output import show, waiting_for
from opsmend.console.layout import Indented, say
from opsmend.doctor.checks import CHECKS, acting_in
from opsmend.doctor.examination import Finding, Health, examine
from opsmend.environment import read_settings
from opsmend.errors import OpsmendError
from opsmend.telemetry import configure_logging

commands = typer.Typer()

_STYLES: Final = {Health.OK: "green", Health.NOT_SET_UP: "dim", Health.WARNING: "yellow", Health.FAILED: "bold red"}


_UNDER_THE_NAME: Final = " " * 11


class SomethingIsWrong(OpsmendError):
    """A part that opsmend cannot do without does not work."""


Namespaces = Annotated[list[str] | None, typer.Option("--namespace", help="May opsmend act in it? Can be given again.")]


@commands.command()
def doctor(namespace: Namespaces = None) -> None:
    """Check every connection, say what is wrong and what to do, measure how long each takes to answer."""
    configure_logging("CRITICAL")  # the table says it all; clients would write their own complaints between
    checks = (*CHECKS, *map(acting_in, namespace or ()))
    findings = waiting_for(f"{len(checks)} answers", examine(read_settings(), checks))
    show(Group(*map(_lines, findings)))
    failed = [finding.name for finding in findings if finding.health is Health.FAILED]
    if failed:
        raise SomethingIsWrong(f"opsmend cannot do its work: {', '.join(failed)}.")


def _lines(finding: Finding) -> RenderableType:
    """The part, how it is and how fast it answered; what was found, and what to do."""
    latency = f"{finding.latency.total_seconds() * 1000:.0f} ms"
    health = say(f"{finding.health:<10} ", _STYLES[finding.health])
    parts: list[RenderableType] = [Text.assemble(health, say(finding.name, "bold"), say(f"  {latency}", "dim"))]
    parts.append(Indented(say(finding.detail), _UNDER_THE_NAME))
    if finding.remedy:
        parts.append(Indented(say(f"→ {finding.remedy}", "yellow"), _UNDER_THE_NAME, hanging="  "))
    return Group(*parts)
