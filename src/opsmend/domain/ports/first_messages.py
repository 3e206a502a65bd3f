"""Room for new messages in chat, which all processes share."""

from datetime import timedelta
from typing import Protocol

from opsmend.domain.untold import Untold


class FirstMessages(Protocol):
    """Raises TemporalUnavailableError."""

    async def room_in(self, incident: Untold) -> timedelta:
        """How long until it may ask again; zero: its message may be posted now. Until then the digest tells of it.

        Twice is harmless: within a minute it is the same room.
        """
        ...

    async def is_told(self, run_id: str) -> None:
        """It has a message, as it called: the digest does not tell of it any more."""
        ...
