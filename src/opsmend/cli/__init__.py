"""What people type. Reads settings, calls what is below, shows the result; decides nothing."""

import typer

from opsmend.cli.commands import Commands

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Alerts in, verified fixes out: every step durable, every risky step approved, every decision explainable.",
)


@app.callback()
def opsmend() -> None:
    """Options that all commands share would stand here; there are none."""


def main() -> None:
    """The `opsmend` command."""
    app()
