"""`opsmend demo`."""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from opsmend.adapters.artifacts.directories import data_directory
from opsmend.demo.run import run_demo
from opsmend.telemetry import configure_logging

commands = typer.Typer()


@commands.command()
def demo(
    yes: Annotated[bool, typer.Option("--yes", help="Approve every plan without asking, and say so.")] = False,
    stay: Annotated[bool, typer.Option("--stay", help="Stay up at the end, until Ctrl-C.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the closing table as JSON to this file.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where state is kept (default: a folder that is removed).")] = None,
) -> None:
    """One alert becomes one verified, approved, remembered fix, on this machine, with an embedded cluster."""
    configure_logging("ERROR")
    with tempfile.TemporaryDirectory(prefix="opsmend-demo-", ignore_cleanup_errors=True) as scratch:
        folder = data_directory((data_dir or Path(scratch)).resolve())
        wrong = asyncio.run(run_demo(_console(), folder, yes=yes, stay=stay, report=report))
    raise typer.Exit(1 if wrong else 0)


def _console() -> Console:
    """As wide as the terminal; where there is none (a log), wide enough for the tables."""
    console = Console()
    return console if console.is_terminal else Console(width=140)
