"""What people type. Reads settings, calls what is below, shows the result; decides nothing."""

from importlib.metadata import version
from typing import Annotated

import typer

from opsmend.cli.commands import Commands

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Alerts in, verified fixes out: every step durable, every risky step approved, every decision explainable.",
)


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"opsmend {version('opsmend')}")
        raise typer.Exit


@app.callback()
def opsmend(
    _: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", callback=_say_version, is_eager=True)
    ] = False,
) -> None:
    """Options that come before the name of a command."""


def main() -> None:
    """The `opsmend` command."""
    app()
