"""What the commands share that talk to a running opsmend."""

from pathlib import Path
from typing import Annotated, cast

import httpx
import typer
from pydantic import ValidationError

from opsmend.console.client import OpsmendApi
from opsmend.console.connection import find_connection
from opsmend.errors import SettingsError
from opsmend.settings import Settings

IncidentArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the incident, as `opsmend incidents` shows it.")]
ApiOption = Annotated[
    str | None,
    typer.Option("--api", envvar="OPSMEND_API_URL", help="Address of the API; by default the one that runs on this machine."),
]
DataDirOption = Annotated[Path | None, typer.Option("--data-dir", help="Where a running opsmend left its address.")]
RunOption = Annotated[str | None, typer.Option("--run", help="A run of this incident; the latest one by default.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def read_settings() -> Settings:
    """The environment as settings. Raises SettingsError that names the variable."""
    try:
        return Settings()
    except ValidationError as invalid:
        first = invalid.errors(include_input=False)[0]
        variable = "OPSMEND_" + "__".join(str(part).upper() for part in first["loc"])
        raise SettingsError(f"{variable}: {first['msg']}.") from invalid


def the_api(ctx: typer.Context, api: str | None, data_dir: Path | None) -> OpsmendApi:
    """The API to talk to. A test hands its transport in as the context's object."""
    settings = read_settings()
    place = data_dir or settings.data_dir
    connection = find_connection(place, api=api, operator_token=settings.operator_token)
    return OpsmendApi(connection, cast("httpx.AsyncBaseTransport | None", ctx.obj))
