"""Which neighbour took what a quota now lacks: the one that grew last before pods were refused."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from opsmend.domain.neighbour import Neighbour
from opsmend.domain.pod_requests import pod_usage
from opsmend.domain.quantity import quantity
from opsmend.domain.snapshot import Quota, Snapshot, Workload

SAME_MOMENT: Final = timedelta(seconds=5)
"""Between what happens and the event that tells of it; times of the API have whole seconds."""
TOGETHER: Final = timedelta(minutes=5)
"""Two that grew so near to each other may both be it."""


class Growth(NamedTuple):
    neighbour: Neighbour
    before: int
    at: datetime

    def __str__(self) -> str:
        who = f" by {self.neighbour.scaled_by}" if self.neighbour.scaled_by else ""
        return f"{self.neighbour.ref} was scaled from {self.before} to {self.neighbour.replicas}{who} at {self.at:%H:%M:%S} UTC"


def takers(snapshot: Snapshot, workload: Workload, quota: Quota, refused_since: datetime) -> list[Growth]:
    """One is to blame, several may be, none is known. Only who by giving it back would let all missing pods in counts.

    Nobody is blamed when the target itself grew last and got it (a growth that was refused took nothing), or when the quota
    was changed since.
    """
    growths = [g for n in snapshot.neighbours if (g := _growth(n)) and not _was_refused(g, workload)]
    growths.sort(key=lambda growth: growth.at, reverse=True)
    before = [growth for growth in growths if growth.at <= refused_since + SAME_MOMENT]
    if not before or before[0].neighbour.ref == workload.ref:
        return []
    latest = before[0].at
    if quota.changed_at is not None and quota.changed_at > latest:
        return []
    near = [growth for growth in before if latest - growth.at < TOGETHER and growth.neighbour.ref != workload.ref]
    return [growth for growth in near if _would_do(growth, workload, quota)]


def _was_refused(growth: Growth, workload: Workload) -> bool:
    return growth.neighbour.ref == workload.ref and workload.replicas <= growth.before


def _growth(neighbour: Neighbour) -> Growth | None:
    """By the event that told of it, else by what its manifest declares."""
    if neighbour.grown_at is not None and neighbour.replicas_before is not None:
        before, at = neighbour.replicas_before, neighbour.grown_at
    elif neighbour.applied_replicas is not None and neighbour.scaled_at is not None:
        before, at = neighbour.applied_replicas, neighbour.scaled_at
    else:
        return None
    return Growth(neighbour, before, at) if 0 < before < neighbour.replicas else None


def _would_do(growth: Growth, workload: Workload, quota: Quota) -> bool:
    missing = max(workload.desired_replicas - workload.replicas, 1)
    given_back = pod_usage(growth.neighbour.template)
    pods = growth.neighbour.replicas - growth.before
    for name, need in pod_usage(workload.template).items():
        hard, used = quantity(quota.hard.get(name)), quantity(quota.used.get(name))
        if hard is None or used is None:
            continue
        if used + missing * need - pods * given_back.get(name, Decimal(0)) > hard:
            return False
    return True
