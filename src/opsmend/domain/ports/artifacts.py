"""Large things by reference, so that workflow history stays small."""

from typing import Protocol

from opsmend.domain.record import Record


class ArtifactRef(Record):
    """Content-addressed: the same bytes have the same reference. `size` in bytes."""

    sha256: str
    size: int
    media_type: str


class Artifacts(Protocol):
    async def put(self, content: bytes, media_type: str) -> ArtifactRef:
        """Keep `content` durably before returning; keeping it twice is harmless."""
        ...

    async def get(self, ref: ArtifactRef) -> bytes:
        """Raises ArtifactMissingError."""
        ...
