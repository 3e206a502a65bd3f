"""`opsmend doctor`: does everything that opsmend leans on work?"""

import asyncio
from typing import Annotated, Final

import typer
from rich.table import Table

from opsmend.cli.calling import read_settings
from opsmend.cli.output import show
from opsmend.console.incident_report import say
from opsmend.doctor.checks import CHECKS, acting_in
from opsmend.doctor.examination import Finding, Health, examine
from opsmend.errors import OpsmendError
from opsmend.telemetry import configure_logging

commands = typer.Typer()

_STYLES: Final = {Health.OK: "green", Health.NOT_SET_UP: "dim", Health.WARNING: "yellow", Health.FAILED: "bold red"}


class SomethingIsWrong(OpsmendError):
    """A part that opsmend cannot do without does not work."""


Namespaces = Annotated[list[str] | None, typer.Option("--namespace", help="May opsmend act in it? Can be given again.")]


@commands.command()
def doctor(namespace: Namespaces = None) -> None:
    """Check every connection, say what is wrong and what to do, measure how long each takes to answer."""
    configure_logging("CRITICAL")  # the table says it all; clients would write their own complaints between
    findings = asyncio.run(examine(read_settings(), (*CHECKS, *map(acting_in, namespace or ()))))
    show(_table(findings))
    failed = [finding.name for finding in findings if finding.health is Health.FAILED]
    if failed:
        raise SomethingIsWrong(f"opsmend cannot do its work: {', '.join(failed)}.")


def _table(findings: list[Finding]) -> Table:
    table = Table("part", "", "answered in", header_style="dim")
    table.add_column("what was found", overflow="fold")
    for finding in findings:
        found = say(finding.detail)
        if finding.remedy:
            found.append_text(say(f"\n→ {finding.remedy}", "yellow"))
        latency = f"{finding.latency.total_seconds() * 1000:.0f} ms"
        table.add_row(say(finding.name, "bold"), say(finding.health, _STYLES[finding.health]), say(latency, "dim"), found)
    return table
