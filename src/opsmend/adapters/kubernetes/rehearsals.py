"""What a dry run leaves to the change that follows it: the object as it was read, and the right to change it."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from opsmend.adapters.kubernetes.executors import Grant
from opsmend.domain.actions.action import LiveObject

KEPT_FOR: Final = timedelta(minutes=1)
"""The change follows its dry run in a moment, unless a worker died in between. A tenth of what the token lives."""
_MOST: Final = 32


class Rehearsal(NamedTuple):
    live: LiveObject
    grant: Grant
    at: datetime


class Rehearsals:
    """By the marker of their step, in this process alone: an object may hold what is secret, and a token is secret."""

    def __init__(self) -> None:
        self._by_marker: dict[str, Rehearsal] = {}

    def keep(self, marker: str, rehearsal: Rehearsal) -> None:
        self._by_marker[marker] = rehearsal
        while len(self._by_marker) > _MOST:
            del self._by_marker[next(iter(self._by_marker))]

    def take(self, marker: str, now: datetime) -> Rehearsal | None:
        """Once: whoever tries again reads anew. Those that nobody took in time are forgotten as well."""
        found = self._by_marker.pop(marker, None)
        self._by_marker = {of: kept for of, kept in self._by_marker.items() if now - kept.at < KEPT_FOR}
        return found if found and now - found.at < KEPT_FOR else None
