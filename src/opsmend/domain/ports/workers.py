"""Which kinds of work somebody is there to do."""

from collections.abc import Mapping
from typing import Protocol


class Workers(Protocol):
    async def at_work(self) -> Mapping[str, bool]:
        """Role (`workflows`, `sre`…) -> whether any worker of it has asked for work lately.

        Raises:
            TemporalUnavailableError: it cannot be told.
        """
        ...
