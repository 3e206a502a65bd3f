"""`opsmend config`: which settings are in force, and where each comes from."""

import json
import os
from collections.abc import Iterator
from typing import NamedTuple

import typer
from rich.console import Group
from rich.text import Text

from opsmend.cli.calling import JsonOption
from opsmend.cli.output import show
from opsmend.console.layout import say, whole
from opsmend.environment import VARIABLES, Variable, read_settings
from opsmend.policy.redaction import redact
from opsmend.setting_types import written
from opsmend.settings import Settings

commands = typer.Typer()


class InForce(NamedTuple):
    """One setting; `value` is None where none is set, and masked where it is a secret."""

    variable: str
    source: str
    value: str | None


@commands.command()
def config(as_json: JsonOption = False) -> None:
    """Print every setting that is in force and where it comes from; secrets are masked."""
    rows = list(_in_force(read_settings()))
    if as_json:
        typer.echo(json.dumps([row._asdict() for row in rows], indent=2))
        return
    width = max(len(row.variable) for row in rows)
    show(Group(*(_line(row, width) for row in rows)))


def _in_force(settings: Settings) -> Iterator[InForce]:
    kubeconfig = os.environ.get("KUBECONFIG")
    yield InForce("KUBECONFIG", _source("KUBECONFIG"), kubeconfig or "~/.kube/config, or the pod's service account")
    for variable in VARIABLES:
        yield InForce(variable.name, _source(variable.name), _shown(variable, variable.value_in(settings)))


def _source(name: str) -> str:
    return "environment" if any(given.upper() == name and value for given, value in os.environ.items()) else "default"


def _shown(variable: Variable, value: object) -> str | None:
    if value in (None, ()):
        return None
    return "(secret)" if variable.secret else redact(written(value))


def _line(row: InForce, width: int) -> Text:
    name = say(f"{row.variable:<{width}}", "bold" if row.source == "environment" else "")
    value = say("not set", "dim") if row.value is None else whole(row.value)
    return Text.assemble(name, say(f"  {row.source:<11}  ", "dim"), value, overflow="ignore", no_wrap=True)
