"""Revisions that were read before, by what never changes of them: their template, known by its digest."""

from collections.abc import Iterable
from typing import Final

from opsmend.domain.snapshot import Revision

_MOST: Final = 32
"""Templates have some 5 KB; a change needs its own for the minutes from its rehearsal to its check."""


class KeptRevisions:
    """In this process alone, for a template may hold what is secret."""

    def __init__(self) -> None:
        self._by_digest: dict[str, Revision] = {}

    def keep(self, revisions: Iterable[Revision]) -> None:
        for revision in revisions:
            self._by_digest[revision.template_digest] = revision
        while len(self._by_digest) > _MOST:
            del self._by_digest[next(iter(self._by_digest))]

    def of(self, template_digest: str) -> tuple[Revision, ...]:
        """The revision with that template, or none."""
        kept = self._by_digest.get(template_digest)
        return (kept,) if kept else ()
