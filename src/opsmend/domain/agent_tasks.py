"""What an incident asks of each agent and what it gets back: the inputs and results of the agent runs.

`calls` in a result is what that run asked of the Kubernetes API.
"""

from datetime import timedelta

from opsmend.domain.alert import Alert
from opsmend.domain.budget import Usage
from opsmend.domain.call_ledger import CallLedger
from opsmend.domain.diagnosis import Diagnosis
from opsmend.domain.execution import AppliedChange, ApprovedPlan, ExecutionRecord
from opsmend.domain.plan import Alternative, Plan
from opsmend.domain.ports.artifacts import ArtifactRef
from opsmend.domain.record import Record
from opsmend.domain.target import Target
from opsmend.domain.verdict import SecurityVerdict
from opsmend.domain.verification import Baseline, Verification


class InvestigationRequest(Record):
    """SRE: find out what is wrong."""

    target: Target
    alerts: tuple[Alert, ...]
    closely: bool = False
    """Not whether a cause explains it that an incident sees to already."""


class Investigation(Record):
    """`snapshot` is the stored neighbourhood that the diagnosis was made from."""

    diagnosis: Diagnosis
    snapshot: ArtifactRef
    baseline: Baseline
    usage: Usage
    watched: bool = False
    """Whether the good configuration of the target's namespace is kept."""
    calls: CallLedger = CallLedger()


class PlanningRequest(Record):
    """Architect: say what to do about it."""

    incident_id: str
    run_id: str
    attempt: int
    target: Target
    diagnosis: Diagnosis
    snapshot: ArtifactRef


class Planning(Record):
    """`plan` is None when nothing that opsmend may do would remove the cause; `reason` says why."""

    plan: Plan | None
    alternatives: tuple[Alternative, ...] = ()
    reason: str = ""
    usage: Usage
    calls: CallLedger = CallLedger()


class ReviewRequest(Record):
    """Security: look at the plan as an adversary would."""

    plan: Plan
    cluster: str
    severity: str
    snapshot: ArtifactRef | None = None
    """What the plan was made from. Older workflow workers do not hand it on."""


class Review(Record):
    verdict: SecurityVerdict
    usage: Usage
    calls: CallLedger = CallLedger()


class ExecutionRequest(Record):
    """Deployment: carry the approved plan out (or undo what it did)."""

    approved: ApprovedPlan
    cluster: str
    snapshot: ArtifactRef | None = None
    """As in ReviewRequest."""
    verified_next: bool = False
    """Whether a verification reads the objects right afterwards: then the last step is not read back before."""


class Execution(Record):
    record: ExecutionRecord
    usage: Usage
    calls: CallLedger = CallLedger()


class VerificationRequest(Record):
    """SRE: tell whether it helped."""

    target: Target
    alerts: tuple[Alert, ...]
    baseline: Baseline
    interval: timedelta
    checks: int
    """Healthy looks in a row that count as healthy."""
    deadline: timedelta
    changes: tuple[AppliedChange, ...] = ()
    """What the plan changed: if somebody takes it back, that ends the verification."""
    beside: tuple[Target, ...] = ()
    """What must be well too: see Finding.beside."""
    closely: bool = True
    """Set by the run for each look: whether a glance at the workload's status is enough when that says that all is well."""


class RunStopped(Record):
    """Signal of an agent run that ends without a result: what it had used until then."""

    agent: str
    usage: Usage
    calls: CallLedger


class Verified(Record):
    verification: Verification
    usage: Usage
    calls: CallLedger = CallLedger()
