"""Evidence in the making: each fact with where it was seen, numbered within a finding."""

from datetime import datetime
from typing import Final

from opsmend.domain.diagnosis import Evidence
from opsmend.domain.snapshot import Container, Event, Pod
from opsmend.errors import bounded

EXCERPT_LIMIT: Final = 1500
"""Characters: below Evidence's own limit of 2000, and enough for a stack trace's telling part."""


class Notes:
    """Collects evidence; the same fact twice is kept once."""

    def __init__(self) -> None:
        self._evidence: list[Evidence] = []

    def add(self, source: str, excerpt: str, at: datetime | None = None) -> None:
        text = bounded(excerpt.strip(), EXCERPT_LIMIT)
        if text and not any(e.source == source and e.excerpt == text for e in self._evidence):
            self._evidence.append(Evidence(id=f"e{len(self._evidence) + 1}", source=source, excerpt=text, at=at))

    def add_container(self, pod: Pod, container: Container, excerpt: str, at: datetime | None = None) -> None:
        self.add(f"pod/{pod.name} container {container.name}", excerpt, at)

    def add_log(self, pod: Pod, container: Container, excerpt: str) -> None:
        """`excerpt` comes from the log of the run that failed."""
        which = " (previous)" if container.running else ""
        self.add(f"log pod/{pod.name} container {container.name}{which}", excerpt)

    def add_event(self, event: Event) -> None:
        times = f" (x{event.count})" if event.count > 1 else ""
        self.add(f"event {event.about}", f"{event.reason}{times}: {event.message}", event.last_seen)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return tuple(self._evidence)
