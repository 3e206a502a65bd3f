"""The running parts of `up`: a part that dies is started again, logs are kept small, the end is an orderly one."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog

from opsmend.embedded.log_files import put_aside
from opsmend.embedded.processes import Part, PartFailedError
from opsmend.errors import bounded

log = structlog.get_logger()

_BREATHER: Final = timedelta(seconds=1)
"""Between the death of a part and its next start."""

_LONGEST_BREATHER: Final = timedelta(seconds=15)
"""The breather doubles while the part cannot be started, so that it neither spins nor fills the log."""

_LOOK_AT_LOGS: Final = timedelta(seconds=2)


@dataclass
class Stack:
    """Everything that `up` runs. `env` is what its children are given, and what a client of it needs."""

    data_dir: Path
    api_url: str
    api_token: str
    operator_token: str
    temporal_address: str
    temporal_ui: str
    env: dict[str, str]
    parts: dict[str, Part] = field(default_factory=dict)
    starters: dict[str, Callable[[], Awaitable[Part]]] = field(default_factory=dict)
    stopping: bool = False

    async def start(self, name: str) -> Part:
        self.parts[name] = part = await self.starters[name]()
        return part

    async def watch(self) -> None:
        """Start again whatever dies and keep the logs small, until `stop`."""
        tidying = asyncio.create_task(self._keep_logs_small())
        try:
            await asyncio.gather(*(self._watch(name) for name in self.starters))
        finally:
            tidying.cancel()

    async def _watch(self, name: str) -> None:
        while True:
            code = await self.parts[name].process.wait()
            if self.stopping:
                return
            log.warning("part.died", part=name, code=code, last_words=self.parts[name].last_words())
            await self._start_again(name)

    async def _start_again(self, name: str) -> None:
        """Try until it is up: what it leans on (Temporal, for a worker) may have died with it."""
        breather = _BREATHER
        while not self.stopping:
            await asyncio.sleep(breather.total_seconds())
            try:
                await self.start(name)
            except (PartFailedError, OSError) as e:
                log.warning("part.not_started", part=name, reason=bounded(str(e)))
                breather = min(2 * breather, _LONGEST_BREATHER)
            else:
                log.info("part.started_again", part=name)
                return

    async def _keep_logs_small(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_AT_LOGS.total_seconds())
            for name in self.starters:
                try:
                    await asyncio.to_thread(put_aside, self.data_dir / "logs" / f"{name}.log")
                except OSError as e:
                    log.warning("log.not_put_aside", part=name, reason=str(e))

    async def stop(self) -> None:
        """End everything, the API first so that nothing new is taken."""
        self.stopping = True
        for name in reversed(self.parts):
            await self.parts[name].stop()
