"""`opsmend api`, `opsmend worker`: one process each, until it is told to end.

What they run takes seconds to import: it is imported once the settings and the port are known to be right.
"""

import asyncio
import os
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Annotated, Final

import structlog
import typer
import uvloop

from opsmend.adapters.temporal.connection import TEMPORAL_HERE, connect
from opsmend.adapters.temporal.sdk_runtime import meter_of
from opsmend.agents.queues import ROLES, Role
from opsmend.cli.signals import told_to_end
from opsmend.embedded.ports import require_port
from opsmend.environment import read_settings
from opsmend.setting_types import written
from opsmend.settings import Settings
from opsmend.telemetry import configure_logging, tell_of_this_process

commands = typer.Typer()
log = structlog.get_logger()

_DRAINED_WITHIN: Final = timedelta(seconds=12)
"""Workers give their activities ten seconds (see worker.py). Whoever started us kills what is there after fifteen."""


@commands.command()
def api(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Run the HTTP API: webhooks in, incidents out. Needs TEMPORAL_ADDRESS and the two tokens."""
    configure_logging()
    settings = read_settings()
    require_port(port, host)
    from opsmend.server import serve_api  # noqa: PLC0415 - see above

    uvloop.run(serve_api(settings, host, port))


@commands.command()
def worker(
    role: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(ROLES)}; may be repeated. Default: all.")] = None,
) -> None:
    """Run a Temporal worker for one role or several. Needs TEMPORAL_ADDRESS."""
    configure_logging()
    asked = role or list(ROLES)
    unknown = [name for name in asked if name not in ROLES]
    if unknown:
        raise typer.BadParameter(f"There is no role {unknown[0]!r}; there are {', '.join(ROLES)}.", param_hint="--role")
    uvloop.run(_work([known for known in ROLES if known in asked], read_settings()))


async def _work(roles: list[Role], settings: Settings) -> None:
    from opsmend.worker import artifacts_of, run_workers  # noqa: PLC0415 - see above

    ended = told_to_end()
    artifacts = artifacts_of(settings)
    artifacts.require_directory()
    address = settings.temporal_address or TEMPORAL_HERE
    client = await connect(address, settings.temporal_namespace, artifacts=artifacts, metrics=settings.metrics)
    async with AsyncExitStack() as stack:
        if settings.metrics.port:
            stack.callback(asyncio.create_task(tell_of_this_process(meter_of(client))).cancel)
        await run_workers(roles, settings, client, stack)
        log.info("worker.ready", roles=roles)
        await ended.wait()
        draining = asyncio.create_task(stack.pop_all().aclose())
        await asyncio.wait([draining], timeout=_DRAINED_WITHIN.total_seconds())
        if not draining.done():
            # It is telling a Temporal that is gone what it has done. Temporal has all of it done again, so nothing is lost.
            log.warning("worker.cut_short", after=written(_DRAINED_WITHIN))
            os._exit(0)
        draining.result()
