"""The CLI in this process, against the API in this process."""

import httpx
from tests.desk_in_memory import DeskInMemory
from tests.unit.api.api_client import OPERATOR_TOKEN, an_app
from typer.testing import CliRunner, Result

from opsmend.cli import app

ENVIRONMENT = {"OPSMEND_OPERATOR_TOKEN": OPERATOR_TOKEN, "COLUMNS": "200", "NO_COLOR": "1"}


def run_cli(desk: DeskInMemory, *args: str, typed: str = "", **environment: str) -> Result:
    """`opsmend ARGS` over `desk`; `typed` is what the person answers."""
    transport = httpx.ASGITransport(an_app(desk), raise_app_exceptions=False)
    return CliRunner().invoke(app, list(args), input=typed, env=ENVIRONMENT | environment, obj=transport)


def run_against(transport: httpx.AsyncBaseTransport, *args: str, **environment: str) -> Result:
    return CliRunner().invoke(app, list(args), env=ENVIRONMENT | environment, obj=transport)
