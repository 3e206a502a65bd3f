"""`opsmend demo`."""

import asyncio
import sys
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from opsmend.console.layout import console_for
from opsmend.embedded.data_directory import claim
from opsmend.environment import read_settings
from opsmend.errors import SettingsError
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
    if not find_spec("opsmend_cluster"):
        raise SettingsError("The demo brings a Kubernetes, a Temporal and a Milvus of its own: install opsmend[demo].")
    # Only now: the help lists this command without the extra as well.
    run_demo = import_module("opsmend.demo.run").run_demo
    configure_logging("ERROR")
    settings = read_settings()
    if report and not report.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {report.parent}", param_hint="--report")
    with tempfile.TemporaryDirectory(prefix="opsmend-demo-", ignore_cleanup_errors=True) as scratch:
        directory = claim(data_dir or Path(scratch))
        wrong = asyncio.run(run_demo(console_for(sys.stdout), settings, directory, yes=yes, stay=stay, report=report))
    raise typer.Exit(1 if wrong else 0)
