"""What an onlooker sees of the workflows that run, and what their code cannot see to itself."""

from typing import Protocol

from pydantic import AwareDatetime

from opsmend.domain.record import Record


class StalledRun(Record):
    """A workflow whose code fails: it is tried again and again, and does not go on until a worker with other code comes."""

    id: str
    run_id: str
    since: AwareDatetime
    why: str
    """Redacted and bounded."""


class Runs(Protocol):
    """Raises TemporalUnavailableError from every method."""

    async def stalled(self) -> tuple[StalledRun, ...]:
        """Of our own workflows, those that do not go on."""
        ...

    async def free_locks_of_the_gone(self) -> tuple[str, ...]:
        """Release each lock whose holder is closed; their ids."""
        ...
