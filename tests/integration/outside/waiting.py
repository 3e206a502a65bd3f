"""Looking again until something is so."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

PATIENCE: Final = 60.0
"""Seconds. What is waited for here takes one to five; the machine may have much else to do."""

Seen = TypeVar("Seen")


class NotInTimeError(AssertionError):
    """It was waited for and did not come. CI plays what fails by this once more (docs/ci.md)."""


async def eventually(look: Callable[[], Awaitable[Seen | None]], what: str, seconds: float = PATIENCE) -> Seen:
    """What `look` finds as soon as it finds something. Raises NotInTimeError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = await look()
        if found is not None:
            return found
        await asyncio.sleep(0.1)
    raise NotInTimeError(f"not seen within {seconds:.0f} s: {what}")
