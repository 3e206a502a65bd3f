"""Child processes with logs, readiness and a clean end."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from random import SystemRandom
from typing import Final

from opsmend.adapters.artifacts.directories import private_directory
from opsmend.embedded import tether
from opsmend.embedded.ports import require_port
from opsmend.errors import PermanentError, SettingsError, bounded

_GRACE: Final = timedelta(seconds=15)
"""A worker drains for up to 10 s (see worker.py); what is still there after this is killed."""


_READY_WITHIN: Final = timedelta(seconds=120)
"""A few seconds on a laptop, more than a minute on two cores that others use as well. A part that dies is noticed at once."""

_PORTS: Final = range(20_000, 30_000)
"""Below those that systems give to connections (Linux from 32768, others from 49152: RFC 6335) and Kubernetes to Services
(30000 to 32767)."""

_MOST_TRIES: Final = 100

_LOOPBACK: Final = "127.0.0.1"


_LAST_WORDS: Final = 4096
"""Characters at the end of a log in which the last line is looked for."""


class PartFailedError(PermanentError):
    """A child process ended or never became ready; the message has the end of its log."""


class Part:
    """One running child process; its output goes to `log`."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.process = process
        self.log = log

    @property
    def running(self) -> bool:
        return self.process.returncode is None

    async def ready(self, probe: Callable[[], Awaitable[bool]], within: timedelta = _READY_WITHIN) -> None:
        """Wait until `probe` says yes; a process that does not come so far is killed.

        Raises:
            PartFailedError: the process ended, or `within` passed.
        """
        try:
            await self._until(probe, within)
        except BaseException:
            self.kill()
            raise

    async def _until(self, probe: Callable[[], Awaitable[bool]], within: timedelta) -> None:
        deadline = asyncio.get_running_loop().time() + within.total_seconds()
        while not await probe():
            if not self.running:
                raise PartFailedError(f"{self.name} ended with code {self.process.returncode}: {self.last_words()}")
            if asyncio.get_running_loop().time() > deadline:
                raise PartFailedError(f"{self.name} was not ready after {within.total_seconds():.0f} s: {self.last_words()}")
            await asyncio.sleep(0.05)

    def last_words(self) -> str:
        """What it said last, bounded: a command of ours that cannot go on ends with a sentence for people."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        lines = text[-_LAST_WORDS:].strip().splitlines()
        return bounded(_readable(lines[-1])) if lines else "it said nothing"

    def kill(self) -> None:
        """SIGKILL, at once."""
        with suppress(ProcessLookupError):
            self.process.kill()

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL if it does not go."""
        if not self.running:
            return
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), _GRACE.total_seconds())
        except TimeoutError:
            self.kill()
            await self.process.wait()


def _readable(line: str) -> str:
    """What happened, of an event that was logged for programs."""
    with suppress(ValueError):
        event = json.loads(line)
        if isinstance(event, dict):
            return str(event.get("error") or event.get("event"))
    return line


async def start_part(
    name: str, argv: Sequence[str], logs: Path, env: Mapping[str, str] | None = None, *, lock: int | None = None
) -> Part:
    """Start `argv`; `env` is added to ours. The child is told to end when this process dies, however it dies (Linux). It
    inherits `lock`, an open file whose lock is thereby held until the child has ended as well."""
    private_directory(logs)
    path = logs / f"{name}.log"
    with path.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *_tethered(argv),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **(env or {})},
            pass_fds=() if lock is None else (lock,),
        )
    return Part(name, process, path)


def _tethered(argv: Sequence[str]) -> list[str]:
    """`argv`, told to end when this process ends."""
    if sys.platform != "linux":
        return list(argv)
    return [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), *argv]


def free_port(preferred: int = 0) -> int:
    """A free loopback port: `preferred` if it is free.

    Whoever it is for listens on it only a while later. Until then, and for a minute, it is given neither to a connection nor
    to anybody else who asks here.
    """
    if preferred and _bindable(preferred):
        return preferred
    for port in SystemRandom().sample(_PORTS, _MOST_TRIES):
        with suppress(OSError):
            _claim(port)
            return port
    raise PartFailedError("no loopback port is free")


def _bindable(port: int) -> bool:
    try:
        require_port(port, _LOOPBACK)
    except SettingsError:
        return False
    return True


def _claim(port: int) -> None:
    """Leave a connection in TIME_WAIT there: a server gets the port all the same (by SO_REUSEADDR), another claim does not.

    Raises:
        OSError: somebody has it, or claimed it within the last minute.
    """
    with socket.socket() as server:
        server.bind((_LOOPBACK, port))
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.listen()
        with socket.create_connection((_LOOPBACK, port)):
            accepted, _ = server.accept()
            accepted.close()  # the side that closes first is the one that waits


async def listens(port: int) -> bool:
    """Whether something on loopback accepts connections at `port`."""
    try:
        _, writer = await asyncio.open_connection(_LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
