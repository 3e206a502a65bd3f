"""What was learned from earlier incidents."""

from typing import Protocol

from opsmend.domain.diagnosis import Category, Recollection
from opsmend.domain.postmortem import PostMortem


class Memory(Protocol):
    """Raises MemoryUnavailableError from every method."""

    async def remember(self, postmortem: PostMortem) -> None:
        """Keep it under its run id; a second call with the same run replaces the first."""
        ...

    async def forget(self, run_id: str) -> None:
        """Keep nothing of this run any more; twice is harmless."""
        ...

    async def recall(self, symptoms: str, category: Category, limit: int = 3) -> tuple[Recollection, ...]:
        """Earlier incidents of this category, most similar first, weak matches left out."""
        ...
