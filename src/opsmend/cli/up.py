"""`opsmend up`: everything on this machine. What can be wrong is found and said before anything is started."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from opsmend.cli.signals import told_to_end
from opsmend.embedded.data_directory import DataDirectory, claim
from opsmend.embedded.ports import require_port
from opsmend.embedded.preflight import require_what_we_lean_on
from opsmend.embedded.processes import free_port
from opsmend.embedded.stack import Stack
from opsmend.embedded.up import start_stack
from opsmend.environment import read_settings
from opsmend.settings import Settings
from opsmend.telemetry import configure_logging

commands = typer.Typer()

PortOption = Annotated[int, typer.Option(min=0, max=65535, help="Port of the API on loopback; 0 takes any free one.")]


@commands.command()
def up(
    port: PortOption = 8080,
    data_dir: Annotated[Path | None, typer.Option(help="Where state is kept (default: OPSMEND_DATA_DIR or .opsmend).")] = None,
) -> None:
    """Run everything on this machine against the cluster of KUBECONFIG: API, workers, Temporal, Milvus Lite."""
    configure_logging()
    settings = read_settings()
    directory = claim(data_dir or settings.data_dir)
    if port:
        require_port(port)
    asyncio.run(_up(settings, directory, port or free_port()))


async def _up(settings: Settings, directory: DataDirectory, port: int) -> None:
    ended = asyncio.create_task(told_to_end().wait())
    starting = asyncio.create_task(_start(settings, directory, port))
    await asyncio.wait({ended, starting}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting
        return
    stack = starting.result()
    _introduce(stack)
    watching = asyncio.create_task(stack.watch())
    try:
        await ended
    finally:
        await stack.stop()
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _start(settings: Settings, directory: DataDirectory, port: int) -> Stack:
    _progress("asking the cluster of KUBECONFIG …")
    await require_what_we_lean_on(settings)
    _progress("starting Temporal, Milvus Lite, the workers and the API …")
    return await start_stack(settings, directory, port)


def _progress(line: str) -> None:
    """To stderr: scripts wait for the lines on stdout."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def _introduce(stack: Stack) -> None:
    print(f"Temporal UI {stack.temporal_ui}", flush=True)  # noqa: T201 - what people and scripts wait for
    print(f"tokens      {stack.data_dir / 'connection.json'}", flush=True)  # noqa: T201
    print(f"metrics     {stack.data_dir / 'metrics.json'}", flush=True)  # noqa: T201
    print(f"logs        {stack.data_dir / 'logs'}", flush=True)  # noqa: T201
    print(f"ready {stack.api_url}", flush=True)  # noqa: T201
