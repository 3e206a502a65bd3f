"""Did it help? Only `healthy` does."""

from enum import StrEnum

from pydantic import AwareDatetime

from opsmend.domain.record import Record


class Health(StrEnum):
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    INCONCLUSIVE = "inconclusive"
    """Not everything could be seen, or it is still moving."""
    ERROR = "error"
    """The check itself failed."""


class HealthCheck(Record):
    """One look. `reasons` say what is not well, `unseen` what could not be looked at."""

    at: AwareDatetime
    health: Health
    reasons: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    alert_recovered: bool | None = None
    """None: nothing could tell whether the alert's condition is gone."""
    worse_than_baseline: bool = False
    glanced: bool = False
    """Only the workload's own status was looked at: it cannot conclude that the target is healthy."""
    reverted: tuple[str, ...] = ()
    """Ids of the plan's steps that somebody took back; `reasons` say who."""
    api_calls: int = 0


class Baseline(Record):
    """How things stood when the problem was investigated, so that verification can tell better from worse."""

    ready_replicas: int = 0
    desired_replicas: int = 0
    restarts: int = 0
    health: Health = Health.UNHEALTHY


class Verification(Record):
    """The conclusion over several looks in a row."""

    health: Health
    checks: tuple[HealthCheck, ...] = ()
    worse_than_baseline: bool = False
    alert_recovered: bool | None = None
    """None: nothing could tell whether the alert's condition is gone."""
    summary: str = ""
    unseen: tuple[str, ...] = ()
    reverted: tuple[str, ...] = ()
    """Ids of the plan's steps that somebody took back: they are no longer ours to undo."""
