"""`opsmend incidents`, `incident`, `explain`: looking at what goes on."""

from typing import Annotated

import typer

from opsmend.cli.calling import ApiOption, DataDirOption, IncidentArgument, JsonOption, RunOption, the_api, the_incident
from opsmend.cli.output import show, show_json, waiting_for
from opsmend.console.client import PAGE
from opsmend.console.explanation_report import explanation_report
from opsmend.console.incident_report import backlog_line, incident_list, incident_report
from opsmend.domain.incident import Outcome, Status

commands = typer.Typer()


@commands.command()
def incidents(
    ctx: typer.Context,
    status: Annotated[Status | None, typer.Option(help="Only those that stand so.")] = None,
    outcome: Annotated[Outcome | None, typer.Option(help="Only those that ended so.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = PAGE,
    as_json: JsonOption = False,
    api: ApiOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """List incidents, newest first."""
    opsmend = the_api(ctx, api, data_dir)
    found = waiting_for(opsmend.where, opsmend.incidents(status, outcome, limit))
    if as_json:
        show_json(found)
        return
    show(incident_list(found.incidents) if found.incidents else "No incidents.")
    if found.backlog:
        show(backlog_line(found.backlog))
    if found.next_cursor:
        show(f"There are more than these {len(found.incidents)}. Show twice as many: --limit {2 * limit}")


@commands.command()
def incident(
    ctx: typer.Context,
    incident_id: IncidentArgument,
    run: RunOption = None,
    as_json: JsonOption = False,
    api: ApiOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Show one incident: evidence, diagnosis, plan with its exact diff, verdict, timeline, post-mortem."""
    opsmend = the_api(ctx, api, data_dir)
    found = waiting_for(opsmend.where, opsmend.incident(the_incident(opsmend, incident_id), run))
    if as_json:
        show_json(found)
    else:
        show(incident_report(found))


@commands.command()
def explain(
    ctx: typer.Context,
    incident_id: IncidentArgument,
    run: RunOption = None,
    as_json: JsonOption = False,
    api: ApiOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Say why: which evidence, which rule, why these values, what was refused, who approved."""
    opsmend = the_api(ctx, api, data_dir)
    why = waiting_for(opsmend.where, opsmend.explanation(the_incident(opsmend, incident_id), run))
    if as_json:
        show_json(why)
    else:
        show(explanation_report(why))
