"""Whether there is room where state is kept. Embedded Temporal dies of a full disk, so alerts stop before it is full."""

import os
import time
from pathlib import Path
from typing import Final

from opsmend.errors import DiskFullError

LEAST_FREE: Final = 64 * 1024 * 1024
"""Bytes. What runs already writes on: Temporal's log of changes alone takes some 4 MB before it is folded in."""

_LOOKED_AT_MOST: Final = 1.0
"""Seconds between two looks: a storm brings hundreds of webhooks a second."""


class DiskRoom:
    """The file system of `directory`. Where there is no such directory, as beside a Temporal of its own, nothing is kept."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._looked = float("-inf")
        self._free: int | None = None

    def require(self) -> None:
        """Raises DiskFullError."""
        if time.monotonic() - self._looked >= _LOOKED_AT_MOST:
            self._free, self._looked = _free_bytes(self._directory), time.monotonic()
        if self._free is not None and self._free < LEAST_FREE:
            free, least = (size // 2**20 for size in (self._free, LEAST_FREE))
            raise DiskFullError(f"{free} MiB are free where opsmend keeps its state. Alerts are taken from {least} MiB on.")


def _free_bytes(directory: Path) -> int | None:
    try:
        found = os.statvfs(directory)
    except FileNotFoundError:
        return None
    return found.f_bavail * found.f_frsize
