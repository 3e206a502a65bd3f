"""`opsmend up`, `opsmend api`, `opsmend worker`: commands that run until they are told to end."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import structlog
import typer
import uvloop

from opsmend.adapters.temporal.connection import connect
from opsmend.cli.calling import read_settings
from opsmend.embedded.processes import free_port
from opsmend.embedded.up import start_stack
from opsmend.server import serve_api
from opsmend.settings import Settings
from opsmend.telemetry import configure_logging
from opsmend.worker import ROLES, Role, artifacts_of, run_workers

commands = typer.Typer()
log = structlog.get_logger()


@commands.command()
def up(
    port: Annotated[int, typer.Option(help="Port of the API on loopback; 0 takes any free one.")] = 8080,
    data_dir: Annotated[Path | None, typer.Option(help="Where state is kept (default: OPSMEND_DATA_DIR or .opsmend).")] = None,
) -> None:
    """Run everything on this machine against the cluster of KUBECONFIG: API, workers, Temporal, Milvus Lite."""
    configure_logging()
    settings = read_settings()
    if data_dir:
        settings = settings.model_copy(update={"data_dir": data_dir})
    asyncio.run(_up(settings, port or free_port()))


async def _up(settings: Settings, port: int) -> None:
    told_to_end = _on_signal()
    stack = await start_stack(settings, port)
    print(f"Temporal UI {stack.temporal_ui}", flush=True)  # noqa: T201 - what people and scripts wait for
    print(f"tokens      {stack.data_dir / 'connection.json'}", flush=True)  # noqa: T201
    print(f"ready {stack.api_url}", flush=True)  # noqa: T201
    watching = asyncio.create_task(stack.watch())
    try:
        await told_to_end.wait()
    finally:
        await stack.stop()
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


@commands.command()
def api(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Run the HTTP API: webhooks in, incidents out. Needs TEMPORAL_ADDRESS and the two tokens."""
    configure_logging()
    uvloop.run(serve_api(read_settings(), host, port))


_DRAINED_WITHIN: Final = timedelta(seconds=12)
"""Workers give their activities ten seconds (see worker.py). Whoever started us kills what is there after fifteen."""


@commands.command()
def worker(
    role: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(ROLES)}; may be repeated. Default: all.")] = None,
) -> None:
    """Run a Temporal worker for one role or several. Needs TEMPORAL_ADDRESS."""
    configure_logging()
    asked = role or list(ROLES)
    unknown = [name for name in asked if name not in ROLES]
    if unknown:
        raise typer.BadParameter(f"no role {unknown[0]!r}; there are {', '.join(ROLES)}")
    uvloop.run(_work([known for known in ROLES if known in asked], read_settings()))


async def _work(roles: list[Role], settings: Settings) -> None:
    told_to_end = _on_signal()
    address = settings.temporal_address or "127.0.0.1:7233"
    client = await connect(address, settings.temporal_namespace, artifacts=artifacts_of(settings))
    async with AsyncExitStack() as stack:
        await run_workers(roles, settings, client, stack)
        log.info("worker.ready", roles=roles)
        await told_to_end.wait()
        draining = asyncio.create_task(stack.pop_all().aclose())
        await asyncio.wait([draining], timeout=_DRAINED_WITHIN.total_seconds())
        if not draining.done():
            # It is telling a Temporal that is gone what it has done. Temporal has all of it done again, so nothing is lost.
            log.warning("worker.cut_short", after=str(_DRAINED_WITHIN))
            os._exit(0)
        draining.result()


def _on_signal() -> asyncio.Event:
    """Set when SIGTERM or SIGINT comes."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, event.set)
    return event
