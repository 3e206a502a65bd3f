"""A worker of all roles that kills itself with SIGKILL at one point: `python -m tests.chaos.worker`.

It is the ordinary worker (opsmend.worker) on a client with one more interceptor, so nothing in production code knows of it.
Environment: CHAOS_LOG (every start and end of an activity is appended), CHAOS_POINT (`before` or `after`, activity name and
which of its calls, as `after deployment.apply 1`; empty for none), CHAOS_KILLED (a file that says that it has died already).
"""

import asyncio
import json
import os
import signal
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from opsmend.adapters.temporal.payloads import DATA_CONVERTER
from opsmend.agents.queues import ROLES
from opsmend.settings import Settings
from opsmend.worker import run_workers


class DiesAt(ClientInterceptor, Interceptor):
    """Given to the client, it reaches every worker made from it."""

    def __init__(self, point: str, log: Path, killed: Path) -> None:
        self.when, self.activity, self.call = [*point.split(), "", "", ""][:3]
        self.log = log
        self.killed = killed
        self.calls: dict[tuple[str, str], int] = {}

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Inbound(next, self)

    def note(self, event: str) -> None:
        info = activity.info()
        line = {
            "at": time.time(),
            "event": event,
            "activity": info.activity_type,
            "workflow": info.workflow_id,
            "id": f"{info.workflow_run_id}/{info.activity_id}",
            "attempt": info.attempt,
        }
        with self.log.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def dies(self, when: str) -> None:
        """SIGKILL, once, if this is the point."""
        info = activity.info()
        key = (info.activity_type, f"{info.workflow_run_id}/{info.activity_id}")
        if key not in self.calls:
            self.calls[key] = sum(kind == info.activity_type for kind, _ in self.calls) + 1
        here = (self.when, self.activity, self.call) == (when, info.activity_type, str(self.calls[key]))
        if here and not self.killed.exists():
            self.killed.write_text(str(time.time()))
            os.kill(os.getpid(), signal.SIGKILL)


class _Inbound(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, chaos: DiesAt) -> None:
        super().__init__(next)
        self._chaos = chaos

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        self._chaos.note("start")
        self._chaos.dies("before")
        result = await super().execute_activity(input)
        self._chaos.note("end")
        self._chaos.dies("after")
        return result


async def main() -> None:
    settings = Settings()
    chaos = DiesAt(os.environ["CHAOS_POINT"], Path(os.environ["CHAOS_LOG"]), Path(os.environ["CHAOS_KILLED"]))
    client = await Client.connect(
        settings.temporal_address or "127.0.0.1:7233",
        namespace=settings.temporal_namespace,
        data_converter=DATA_CONVERTER,
        interceptors=[chaos],  # the client hands it to its workers
    )
    async with AsyncExitStack() as stack:
        await run_workers(ROLES, settings, client, stack)
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
