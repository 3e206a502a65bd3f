"""The shared causes that incidents see to at present."""

from typing import Protocol

from opsmend.domain.shared_cause import KnownCause


class SharedCauses(Protocol):
    async def known(self, cluster: str) -> tuple[KnownCause, ...]:
        """Those of `cluster`, as they were a few seconds ago at the earliest.

        Raises:
            TemporalUnavailableError: nobody could tell.
        """
        ...
