"""The record of what the ConfigMaps of one cluster held while workloads ran well with them."""

from typing import Protocol

from opsmend.domain.last_good import ConfigRecord, LastGoodContent, Sighting
from opsmend.domain.target import ObjectRef


class LastGood(Protocol):
    """Raises LastGoodUnavailableError from every method."""

    async def note(self, sighting: Sighting) -> ConfigRecord:
        """The record after this look. Safe when others note at the same time; twice is harmless."""
        ...

    async def newest(self, ref: ObjectRef, uid: str) -> LastGoodContent | None:
        """The good version that was seen last of the ConfigMap with this uid, None where none is known.

        Raises:
            ArtifactMissingError: its content is not there any more.
        """
        ...
