"""Looks whether every role has a worker, and tells people once when one has none, and once when it is back.

Alerts are taken meanwhile: Temporal keeps them. But nobody looks into them, and nobody would say so. How much waits for each
role is kept beside.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import structlog

from opsmend.domain.ports.chat import Announcer
from opsmend.domain.ports.workers import Workers, WorkQueue
from opsmend.errors import ChatRejectedError, ChatUnavailableError, TemporalUnavailableError
from opsmend.telemetry import ApiMetrics

_log = structlog.get_logger(__name__)

EVERY: Final = timedelta(seconds=30)

LOOKS: Final = 2
"""In a row that must find nobody: a worker that is being replaced is no news."""


class WorkerWatch:
    """`queues` is what the last look found, by role; empty before the first one."""

    def __init__(self, workers: Workers, announcer: Announcer, metrics: ApiMetrics) -> None:
        self._workers = workers
        self._announcer = announcer
        self._metrics = metrics
        self._missed: dict[str, int] = {}
        self._told: set[str] = set()
        self.queues: Mapping[str, WorkQueue] = {}

    @property
    def at_work(self) -> dict[str, bool]:
        return {role: queue.at_work for role, queue in self.queues.items()}

    async def keep_watching(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(EVERY.total_seconds())

    async def look(self) -> None:
        try:
            self.queues = await self._workers.work_queues()
        except TemporalUnavailableError as e:
            # That alerts cannot be taken is told by /readyz, and the workers have nobody to ask for work.
            _log.warning("workers.unknown", detail=str(e))
            return
        for role, queue in self.queues.items():
            self._metrics.workers.labels(role).set(queue.at_work)
            self._metrics.backlog.labels(role).set(queue.waiting)
            self._metrics.backlog_age.labels(role).set(queue.oldest.total_seconds())
            self._missed[role] = 0 if queue.at_work else self._missed.get(role, 0) + 1
        await self._tell({role for role, missed in self._missed.items() if missed >= LOOKS})

    async def _tell(self, away: set[str]) -> None:
        gone = away - self._told
        back = {role for role in self._told if self.at_work.get(role)}
        if gone:
            await self._say(
                f"No worker does the work of {_named(gone)}. Alerts are still taken, and wait.", "workers_away", gone
            )
        if back:
            await self._say(f"The work of {_named(back)} goes on: workers are back.", "workers_back", back)

    async def _say(self, text: str, event: str, roles: set[str]) -> None:
        """What could not be told is tried again at the next look."""
        _log.warning(event.replace("_", "."), roles=sorted(roles))
        try:
            await self._announcer.announce(text, f"{event}:{','.join(sorted(roles))}")
        except ChatUnavailableError as e:
            _log.warning("workers.untold", detail=str(e))
            return
        except ChatRejectedError as e:
            _log.warning("workers.untold", detail=str(e))
        self._told ^= roles


def _named(roles: set[str]) -> str:
    return ", ".join(sorted(roles))
