"""Whether there is room where state is kept. Embedded Temporal dies of a full disk, so alerts stop before it is full."""

import os
import time
from pathlib import Path
from typing import Final

import structlog

from opsmend.errors import DiskFullError

_log = structlog.get_logger(__name__)

LEAST_FREE: Final = 64 * 1024 * 1024
"""Bytes. What runs already writes on: Temporal's log of changes alone takes some 4 MB before it is folded in."""

_LOOKED_AT_MOST: Final = 1.0
"""Seconds between two looks: a storm brings hundreds of webhooks a second."""


class DiskRoom:
    """The file system of `directory`. Where there is no such directory, as beside a Temporal of its own, nothing is kept; what
    cannot be looked at is not held against anybody."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._looked = float("-inf")
        self._free: int | None = None
        self._full = False

    def require(self) -> None:
        """Raises DiskFullError."""
        if time.monotonic() - self._looked >= _LOOKED_AT_MOST:
            self._look()
        if self._full and self._free is not None:
            free, least = (size // 2**20 for size in (self._free, LEAST_FREE))
            raise DiskFullError(f"{free} MiB are free where opsmend keeps its state. Alerts are taken from {least} MiB on.")

    def _look(self) -> None:
        self._free, self._looked = _free_bytes(self._directory), time.monotonic()
        full = self._free is not None and self._free < LEAST_FREE
        if full is not self._full:
            _log.warning("disk.full" if full else "disk.room", directory=str(self._directory), free_bytes=self._free)
        self._full = full


def _free_bytes(directory: Path) -> int | None:
    try:
        found = os.statvfs(directory)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize
