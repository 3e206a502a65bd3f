"""Which incidents were open when last heard of, as one process remembers it. A hint: Temporal has the last word."""

from typing import Final

_MOST: Final = 10_000
"""Ids kept, some 100 bytes each; a storm over more targets only costs the saving."""


class RecentlyOpen:
    """Ids of incidents, those that took alerts longest ago forgotten first."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._ids: dict[str, None] = {}

    def __contains__(self, incident_id: str) -> bool:
        return incident_id in self._ids

    def add(self, incident_id: str) -> None:
        self._ids.pop(incident_id, None)
        self._ids[incident_id] = None
        if len(self._ids) > self._most:
            del self._ids[next(iter(self._ids))]

    def discard(self, incident_id: str) -> None:
        self._ids.pop(incident_id, None)
