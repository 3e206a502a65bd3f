"""The front desk: what the API, the CLI and Slack ask of the running incidents."""

from typing import Protocol

from opsmend.domain.alert import Alert
from opsmend.domain.approval import DecisionRecorded, DecisionRequest
from opsmend.domain.incident import IncidentState, Outcome, Status
from opsmend.domain.record import Record
from opsmend.domain.target import Target


class IncidentReceipt(Record):
    """Temporal holds the alerts. `created` tells whether they opened a new incident or joined one."""

    id: str
    created: bool


class IncidentRow(Record):
    """A line of the list of incidents."""

    id: str
    run_id: str
    status: Status
    outcome: Outcome | None
    opened_at: str
    summary: str


class IncidentPage(Record):
    """Some of the incidents, newest first. `next` is where the following ones begin; None after the last."""

    rows: tuple[IncidentRow, ...]
    next: bytes | None = None


class IncidentDesk(Protocol):
    """Raises TemporalUnavailableError from every method."""

    async def submit(
        self, target: Target, alerts: tuple[Alert, ...], *, alone: bool = False, left_out: int = 0
    ) -> IncidentReceipt | None:
        """Hand alerts of one target to its incident, opening one if any of them fires.

        While the node that the target is said to run on has an open incident and the target itself has none, they join that
        one: a node that is lost takes everything on it along. Not so those that are to be looked into `alone`.
        `left_out` alerts of the same group were left out by their sender, which the incident tells.
        None when all are resolved and no incident is open. Returns only once Temporal has stored them.

        Raises:
            AlertsRejectedError: Temporal will not take them, now or later.
        """
        ...

    async def group_under(self, node: Target, alerts: tuple[Alert, ...]) -> None:
        """Tell the node's incident, opened if need be, of alerts that the node caused and that an incident of their own has."""
        ...

    async def decide(self, incident_id: str, request: DecisionRequest) -> DecisionRecorded:
        """Raises IncidentNotFoundError, NothingToDecideError, PlanHashStaleError, AlreadyDecidedError, PolicyRefusedError, and
        within ten seconds DecisionUnconfirmedError."""
        ...

    async def get(self, incident_id: str, run_id: str | None = None) -> IncidentState:
        """The latest run of the incident, or the one named. Raises IncidentNotFoundError."""
        ...

    async def page(
        self, status: Status | None = None, outcome: Outcome | None = None, *, begin: bytes | None = None, limit: int = 200
    ) -> IncidentPage:
        """At most `limit` of them, beginning where an earlier page says that the next ones do. What is none of its own
        beginnings must not get here: Temporal takes seconds to stumble over it."""
        ...

    async def list(self, status: Status | None = None, outcome: Outcome | None = None) -> tuple[IncidentRow, ...]:
        """Newest first, at most 200."""
        ...

    def ui_link(self, incident_id: str, run_id: str) -> str:
        """Where the Temporal UI shows this run."""
        ...
