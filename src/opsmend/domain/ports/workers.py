"""Which kinds of work somebody is there to do, and how much of it waits."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

from pydantic import Field

from opsmend.domain.record import Record


class WorkQueue(Record):
    """The work of one role. `waiting` tasks have not been taken by any worker, the oldest of them for `oldest`; both are
    Temporal's own estimates."""

    at_work: bool
    """Whether any worker of it has asked for work lately."""
    waiting: int = Field(default=0, ge=0)
    oldest: timedelta = timedelta(0)


class Workers(Protocol):
    async def work_queues(self) -> Mapping[str, WorkQueue]:
        """By role (`workflows`, `sre`…).

        Raises:
            TemporalUnavailableError: it cannot be told.
        """
        ...
