"""What a run of an incident begins with: an alert that opens it, or all that the run before it hands on.

A run is one history of Temporal. A new outbreak of the same target is a new incident in a new run. An incident whose history
grows long goes on in a new run as well, and stays the same incident.
"""

from datetime import timedelta

from pydantic import AwareDatetime, Field

from opsmend.domain.alert import Alert, Firing, Severity
from opsmend.domain.alert_book import KeptAlerts
from opsmend.domain.budget import Budget
from opsmend.domain.call import Call
from opsmend.domain.incident import IncidentState, Patience
from opsmend.domain.ports.artifacts import ArtifactRef
from opsmend.domain.ports.chat import MessageRef
from opsmend.domain.record import Handed, Record, StrictRecord
from opsmend.domain.shared_cause import SharedCause
from opsmend.domain.target import Target
from opsmend.domain.verification import Baseline


class HeldLock(Record):
    """The lock of a target: a workflow, and the one run of it that stands for this holder."""

    id: str
    run_id: str


class Asked(Record):
    """The open question: since when, how many of its deadlines have passed, and how things stood before the plan."""

    since: AwareDatetime
    deadlines_passed: int
    baseline: Baseline
    put_off: timedelta = timedelta(0)
    """How much later than usual its next deadlines are, for somebody snoozed it."""


class SatOut(Record):
    """How often it was waited for what, and until when it is waited at present."""

    windows: int = 0
    looks_at_a_node: int = 0
    looks_in_motion: int = 0
    until: AwareDatetime | None = None


class Listened(Record):
    """Of an incident that is closed while its alert fires on."""

    heard_at: AwareDatetime
    looks: int = 0
    next_look: AwareDatetime | None = None


class Grouped(Record):
    """It waits for the incident that sees to the cause which it shares with others, and looks again at the latest then."""

    cause: SharedCause
    until: AwareDatetime
    severity: Severity = Severity.INFO
    """That it joined with."""
    over: bool = False
    """It was told that the cause is: it looks again soon."""


class Continuation(StrictRecord):
    """All that an incident goes on by in its next run. Of one that has just begun nothing is known but its state."""

    state: IncidentState
    alerts: KeptAlerts
    runs: dict[str, int] = Field(default_factory=dict)
    """How often each agent was at work."""
    attempt: int = 1
    """Which of its plans it is at."""
    snapshot: ArtifactRef | None = None
    watched: bool = False
    message: MessageRef | None = None
    told: bool = True
    """Whether people were told of all that there is to tell."""
    due: Call | None = None
    """The call that people are to be told with next."""
    unheard: Call | None = None
    """The newest call, while nobody is known to have got it."""
    silent_since: AwareDatetime | None = None
    """When the first of the calls was made that nobody is known to have got."""
    paged: bool = False
    """Whether a pager has called people."""
    locks: tuple[HeldLock, ...] = ()
    causes: tuple[HeldLock, ...] = ()
    """The shared causes that it sees to."""
    grouped: Grouped | None = None
    in_line_since: AwareDatetime | None = None
    """Since when it waits for a lock that another incident holds."""
    asked: Asked | None = None
    sat_out: SatOut = SatOut()
    listened: Listened | None = None
    stopped: str = ""
    """Why the workflow has to end. It was cancelled while the run before was about to go on in this one."""
    ended: str = ""
    """How a person ended the incident meanwhile."""
    stands_back: bool = False


class IncidentOpened(Handed):
    """Input of the Incident workflow. The alerts themselves come by signal, in the same call as the start."""

    target: Target
    patience: Patience = Patience()
    budget: Budget = Budget()
    settled: tuple[Firing, ...] = ()
    """Firings that an earlier run of this incident ended on; their resends open nothing new."""
    carried: tuple[Alert, ...] = ()
    """Alerts that the earlier run took but did not cover."""
    read_only: bool = False
    """Looked into because a person asked, not because of an alert: nothing is planned, and its end is the diagnosis."""
    unheard: Call | None = None
    """The newest call of the earlier run, where nobody is known to have got it: this run pages for it if chat stays away."""
    silent_since: AwareDatetime | None = None
    goes_on: Continuation | None = None
    """Set where this is no new incident but the next run of one that goes on."""
