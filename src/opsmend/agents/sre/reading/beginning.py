"""When the trouble began: what the alerts say, held against what the cluster shows. Clocks of monitoring systems may be off."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from opsmend.agents.sre.reading.failures import containers, failed_run, is_failing
from opsmend.domain.alert import Alert
from opsmend.domain.health import node_faults
from opsmend.domain.snapshot import Snapshot

CLOCK_SKEW: Final = timedelta(minutes=2)
"""Two clocks that NTP keeps do not differ by more; a beginning so little ahead of ours is now."""

EARLY: Final = timedelta(hours=1)
"""An alert cannot have begun so long before the first failure that the cluster shows, unless it is about an earlier one."""

LONG_AGO: Final = timedelta(days=30)
"""Nobody leaves an alert about something that shows no failure firing for longer."""

_WENT_BAD: Final = {"Available": "False", "Progressing": "False", "ReplicaFailure": "True"}


class Beginning(NamedTuple):
    """`note` is empty unless the alerts' own time could not be taken as it is."""

    at: datetime
    note: str = ""


def beginning(snapshot: Snapshot, alerts: tuple[Alert, ...]) -> Beginning:
    """The start of the first alert; what the cluster shows where that start cannot be true."""
    seen = min(_first_signs(snapshot), default=None)
    told = min((alert.starts_at for alert in alerts if alert.starts_at), default=None)
    if told is None:
        return _untold(snapshot, seen) if alerts else Beginning(seen or snapshot.taken_at)
    if told > snapshot.taken_at + CLOCK_SKEW:
        return _off(snapshot, told, seen, "which was still to come: its clock looks off")
    if seen and told < seen - EARLY:
        return _off(snapshot, told, seen, "long before anything failed that can be seen: its clock looks off, or it is older")
    if seen is None and told < _earliest(snapshot):
        return _off(snapshot, told, seen, "long ago, and nothing shows a failure since: its clock looks off, or it is older")
    return Beginning(min(told, snapshot.taken_at))


def _earliest(snapshot: Snapshot) -> datetime:
    """An alert that nothing confirms is not believed to be older than its workload, nor than LONG_AGO."""
    created = snapshot.workload.created_at if snapshot.workload else None
    long_ago = snapshot.taken_at - LONG_AGO
    return max(created - CLOCK_SKEW, long_ago) if created else long_ago


def _untold(snapshot: Snapshot, seen: datetime | None) -> Beginning:
    at = seen or snapshot.taken_at
    return Beginning(at, f"The alert does not say when it began. {_instead(at, seen)}")


def _off(snapshot: Snapshot, told: datetime, seen: datetime | None, why: str) -> Beginning:
    at = seen or snapshot.taken_at
    return Beginning(at, f"The first alert says that it began at {_utc(told)}, {why}. {_instead(at, seen)}")


def _instead(at: datetime, seen: datetime | None) -> str:
    what = "the first failure that the cluster shows" if seen else "the look at the cluster"
    return f"Times are told against {what}, {_utc(at)}."


def _first_signs(snapshot: Snapshot) -> Iterator[datetime]:
    """Since when the cluster itself shows that something is not well."""
    if snapshot.workload:
        yield from (c.since for c in snapshot.workload.conditions if c.since and _WENT_BAD.get(c.type) == c.status)
    for pod in snapshot.pods:
        if not pod.deleting and pod.phase != "Succeeded":
            yield from (c.since for c in pod.conditions if c.since and (c.type, c.status) == ("Ready", "False"))
    for _, container in containers(snapshot.pods):
        run = failed_run(container)
        if run and run.finished_at and is_failing(container, snapshot.taken_at):
            yield run.finished_at
    for node in snapshot.nodes:
        if node_faults(node):
            yield from (c.since for c in node.conditions if c.since and c.type == "Ready" and c.status != "True")


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
