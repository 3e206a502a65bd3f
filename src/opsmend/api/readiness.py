"""Can alerts be taken now? Temporal and the disk say so, and how it went with the last alerts.

Workers that do not work are no reason to turn alerts away: Temporal keeps them. They are shown beside, see worker_watch.py.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from opsmend.api.disk import DiskRoom
from opsmend.errors import TemporalUnavailableError, TransientError, bounded

Probe = Callable[[], Awaitable[bool]]
"""Whether Temporal answers."""

PROBE_DEADLINE: Final = 3.0
"""Seconds. Kubernetes' own readiness timeout is 1 s by default and then asks again; people ask with more patience."""

REMEMBERED: Final = 10.0
"""Seconds that a failed handover counts as the state of things. A Temporal whose database is full answers a probe as if nothing
were wrong; what it does not take is all that shows it. Kubernetes looks three times in 20 s before it believes it."""


class Readiness:
    """What stands between an alert and Temporal."""

    def __init__(self, temporal: Probe, room: DiskRoom) -> None:
        self._temporal = temporal
        self._room = room
        self._failed_at = float("-inf")
        self._failure = ""

    def handed_over(self) -> None:
        """Temporal took alerts."""
        self._failed_at = float("-inf")

    def not_handed_over(self, failure: TransientError) -> None:
        self._failed_at, self._failure = time.monotonic(), bounded(str(failure))

    async def require(self) -> None:
        """Raises DiskFullError, TemporalUnavailableError."""
        self._room.require()
        if time.monotonic() - self._failed_at < REMEMBERED:
            raise TemporalUnavailableError(f"The last alerts were not taken. {self._failure}")
        try:
            async with asyncio.timeout(PROBE_DEADLINE):
                answers = await self._temporal()
        except TimeoutError as silent:
            raise TemporalUnavailableError(f"Temporal did not answer within {PROBE_DEADLINE:.0f} s.") from silent
        if not answers:
            raise TemporalUnavailableError("Temporal does not answer, so no alert can be taken.")

    def require_room(self) -> None:
        """Raises DiskFullError: whoever comes with alerts is told at once."""
        self._room.require()
