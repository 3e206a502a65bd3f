"""One problem of one target, as the workflow keeps it and as people and programs see it."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, Field

from opsmend.domain.alert import Alert, Severity, gravest
from opsmend.domain.approval import Approval
from opsmend.domain.budget import Usage
from opsmend.domain.call_ledger import CallLedger
from opsmend.domain.diagnosis import Diagnosis
from opsmend.domain.execution import ExecutionRecord
from opsmend.domain.plan import Plan
from opsmend.domain.postmortem import PostMortem
from opsmend.domain.record import Record, View
from opsmend.domain.target import Target
from opsmend.domain.verdict import SecurityVerdict
from opsmend.domain.verification import Verification

MOST_ALERTS: Final = 20
"""Different alerts of one target that are shown and looked into; all are counted and all must resolve."""


class Status(StrEnum):
    INVESTIGATING = "investigating"
    AWAITING_APPROVAL = "awaiting_approval"
    EXECUTING = "executing"
    VERIFYING = "verifying"
    CLOSED = "closed"


class Outcome(StrEnum):
    REMEDIATED = "remediated"
    SELF_RESOLVED = "self_resolved"
    NO_ACTION = "no_action"
    ROLLED_BACK = "rolled_back"
    ESCALATED = "escalated"


class Patience(Record):
    """How long an incident waits for what. Part of its input, so that a running incident keeps the terms it began with."""

    intake_window: timedelta = timedelta(seconds=5)
    """How long the first alert waits for its siblings before the investigation begins."""
    remind_after: timedelta = timedelta(minutes=30)
    escalate_after: timedelta = timedelta(hours=2)
    expire_after: timedelta = timedelta(days=3)
    verify_interval: timedelta = timedelta(seconds=10)
    verify_checks: int = 3
    """Healthy looks in a row that count as healthy."""
    verify_deadline: timedelta = timedelta(minutes=10)
    """Kubernetes' own progressDeadlineSeconds: 600 s."""
    finish_within: timedelta = timedelta(seconds=10)
    """What an agent gets to finish what it is reading once every alert has resolved; it mostly takes a second or two. Only what
    it has finished is on the bill."""
    lock_deadline: timedelta = timedelta(minutes=30)
    quiet_after: timedelta = timedelta(hours=12)
    """A firing that was not resent for so long counts as over (Alertmanager's default repeat_interval is 4 h)."""
    look_again_after: timedelta = timedelta(minutes=15)
    """Until a target that was found well, or that nobody could look at, is looked at again while its alert fires on. Twice as
    long each time for one that is still well, up to four hours: a look is some twelve calls to the cluster."""


class AlertsReceived(Record):
    """Signal: alerts of this target, in the order they came; to a node's incident, also of what runs there."""

    alerts: tuple[Alert, ...]
    watched: bool = False
    """Alerts of another target that an incident of its own sees to."""
    left_out: int = Field(default=0, ge=0, exclude_if=lambda count: count == 0)
    """How many alerts of the same group the sender says that it left out. It does not tell of which targets they were."""


class IncidentClosed(Record):
    """Result of the Incident workflow."""

    outcome: Outcome
    summary: str


class TimelineEntry(Record):
    """`event` is a stable name such as `plan.proposed`; `detail` is a sentence."""

    at: AwareDatetime
    event: str
    detail: str = ""


class IncidentState(View):
    """All that is known of an incident run: what queries return, and what API, chat message and post-mortem are made of."""

    id: str
    run_id: str
    """The run in which it began. It stays the same when a long incident goes on in a new run, with a history of its own."""
    now_in: str = ""
    """The run in which it goes on, where that is another one."""
    continued: bool = False
    """Whether this run is over and the incident is not: it goes on in the next run of the same id."""
    target: Target
    status: Status = Status.INVESTIGATING
    outcome: Outcome | None = None
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None = None
    alerts: tuple[Alert, ...] = ()
    """One per fingerprint, its newest state."""
    alerts_received: int = 0
    """Every alert ever signalled to this run, resends included."""
    alerts_left_out: int = Field(default=0, ge=0, exclude_if=lambda count: count == 0)
    """The most that the sender of a payload said it left out of it."""
    diagnosis: Diagnosis | None = None
    plan: Plan | None = None
    verdict: SecurityVerdict | None = None
    approval: Approval | None = None
    execution: ExecutionRecord | None = None
    undo: ExecutionRecord | None = None
    verification: Verification | None = None
    postmortem: PostMortem | None = None
    timeline: tuple[TimelineEntry, ...] = ()
    usage: Usage = Usage()
    calls: dict[str, CallLedger] = Field(default_factory=dict)
    """What each agent asked of the Kubernetes API, in the order in which they first came to work."""
    closing: str = ""
    """Why it ended as it did, in a sentence."""
    escalations: int = Field(default=0, ge=0)
    """How often the open question was escalated."""

    @property
    def present_run(self) -> str:
        """Where Temporal has its history now."""
        return self.now_in or self.run_id

    @property
    def severity(self) -> Severity:
        return gravest(self.alerts)

    @property
    def in_short(self) -> str:
        """What broke or how it ended, as far as it is known, in a sentence."""
        if self.closing:
            return self.closing
        return self.diagnosis.summary if self.diagnosis else next((alert.summary for alert in self.alerts), self.id)
