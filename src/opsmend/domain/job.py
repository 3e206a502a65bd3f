"""How a Job went."""

from pydantic import AwareDatetime

from opsmend.domain.record import Record
from opsmend.domain.target import ObjectRef


class JobRun(Record):
    """A Job, or the newest one of a CronJob."""

    ref: ObjectRef
    cron_job: ObjectRef | None = None
    """The CronJob that made it."""
    active: int = 0
    succeeded: int = 0
    failed: int = 0
    """Pods, or restarts of its pod where that one is restarted."""
    backoff_limit: int = 6
    """Kubernetes' own default."""
    complete: bool = False
    failed_reason: str = ""
    """As the Job controller spells it: BackoffLimitExceeded, DeadlineExceeded, PodFailurePolicy…"""
    failed_message: str = ""
    failed_at: AwareDatetime | None = None
    succeeded_later_at: AwareDatetime | None = None
    """When a later run of the same CronJob succeeded."""

    @property
    def given_up(self) -> bool:
        """It failed for good, and nothing has made up for it."""
        return bool(self.failed_reason) and self.succeeded_later_at is None

    @property
    def well(self) -> bool:
        return self.complete or self.succeeded_later_at is not None
