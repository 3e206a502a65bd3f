"""How many incidents wait to be looked into, by what waits in the task queues."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from pydantic import BaseModel

from opsmend.domain.ports.workers import WorkQueue

_LOOK_INTO_INCIDENTS: Final = ("workflows", "sre")

A_MOMENT: Final = timedelta(seconds=10)
"""What waits no longer than that is no backlog: every storm's first seconds look like one."""


class BacklogView(BaseModel):
    """Of what waits for workers of `workflows` and `sre`. Each incident that is looked into has one task at a time."""

    incidents: int
    """About how many: Temporal estimates it."""
    oldest_seconds: int


def backlog_view(queues: Mapping[str, WorkQueue]) -> BacklogView | None:
    """`queues` by role."""
    behind = [queues[role] for role in _LOOK_INTO_INCIDENTS if role in queues and queues[role].oldest > A_MOMENT]
    if not behind:
        return None
    oldest = max(queue.oldest for queue in behind)
    return BacklogView(incidents=sum(queue.waiting for queue in behind), oldest_seconds=round(oldest.total_seconds()))
