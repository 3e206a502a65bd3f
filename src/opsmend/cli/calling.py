"""What the commands share that talk to a running opsmend."""

from pathlib import Path
from typing import Annotated, cast

import httpx
import typer

from opsmend.cli.output import waiting_for
from opsmend.console.client import OpsmendApi
from opsmend.console.connection import find_connection
from opsmend.console.short_ids import is_whole, the_one_meant
from opsmend.environment import read_settings

IncidentArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Id of the incident as `opsmend incidents` shows it, or a beginning or end of it.")
]
ApiOption = Annotated[
    str | None,
    typer.Option("--api", envvar="OPSMEND_API_URL", help="Address of the API; by default the one that runs on this machine."),
]
DataDirOption = Annotated[Path | None, typer.Option("--data-dir", help="Where a running opsmend left its address.")]
RunOption = Annotated[str | None, typer.Option("--run", help="A run of this incident; the latest one by default.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def the_incident(opsmend: OpsmendApi, given: str) -> str:
    """The id that `given` stands for: itself when it is whole, else the only one that begins or ends with it.

    Raises:
        IncidentNotFoundError: none does, or several do.
    """
    if is_whole(given):
        return given
    rows = waiting_for(opsmend.where, opsmend.incidents()).incidents
    return the_one_meant(given, [row.id for row in rows])


def the_api(ctx: typer.Context, api: str | None, data_dir: Path | None) -> OpsmendApi:
    """The API to talk to. A test hands its transport in as the context's object."""
    settings = read_settings()
    place = data_dir or settings.data_dir
    connection = find_connection(place, api=api, operator_token=settings.operator_token)
    return OpsmendApi(connection, cast("httpx.AsyncBaseTransport | None", ctx.obj))
