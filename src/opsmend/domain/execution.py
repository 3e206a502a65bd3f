"""What was done, step by step."""

from datetime import datetime
from enum import StrEnum
from typing import Final, Self

from pydantic import AwareDatetime

from opsmend.domain.actions import AnyAction
from opsmend.domain.approval import Approval
from opsmend.domain.plan import Plan, PlannedStep
from opsmend.domain.record import Record, StrictRecord
from opsmend.errors import ClusterCredentialError, ClusterForbiddenError, ClusterUnavailableError


class ApprovedPlan(StrictRecord):
    """A plan with the leave to run it: what Deployment is given and the gate checks again."""

    plan: Plan
    approval: Approval
    severity: str
    undo: tuple[str, ...] = ()
    """Empty to carry the plan out; else the ids of the steps to undo, which the same approval covers."""

    @property
    def steps(self) -> tuple[PlannedStep, ...]:
        return self.plan.undoing(self.undo) if self.undo else self.plan.steps

    def marker(self, step_id: str) -> str:
        """What is written on an object along with the change of this step."""
        return f"{self.plan.hash}#{step_id}"

    def applied(self, step: PlannedStep) -> "AppliedChange":
        """`step` as something that must stand once it was carried out."""
        return AppliedChange(step_id=step.id, action=step.action, marker=self.marker(step.id))


class AppliedChange(StrictRecord):
    """A step that was carried out: what must be on its object from then on."""

    step_id: str
    action: AnyAction
    marker: str


class Reversion(Record):
    """Somebody took changes of ours back. `sentence` says who and when, as far as the object tells."""

    steps: tuple[str, ...]
    sentence: str


class StepStatus(StrEnum):
    APPLIED = "applied"
    ALREADY_APPLIED = "already_applied"
    """The marker of this step was on the object: an earlier try of this activity did it."""
    NOTHING_TO_UNDO = "nothing_to_undo"
    STALE = "stale"
    """The object is not what the plan was made for; nothing was changed."""
    REFUSED = "refused"
    """A gate said no; nothing was changed."""
    FAILED = "failed"
    REVERTED = "reverted"
    """It was done, and somebody took it back before we looked at it again."""


class DryRun(Record):
    """The server accepted the change without keeping it."""

    step_id: str
    resource_version: str
    diff: str
    matches_plan: bool


class StepRecord(Record):
    """How one step went."""

    step_id: str
    action: str
    status: StepStatus
    detail: str = ""
    error: str = ""
    """The class of the error that it FAILED by, one of errors.py."""
    resource_version: str = ""
    at: AwareDatetime

    @property
    def changed_something(self) -> bool:
        return self.status in (StepStatus.APPLIED, StepStatus.ALREADY_APPLIED)


_NO_WAY_THERE: Final = frozenset(
    {ClusterUnavailableError.__name__, ClusterForbiddenError.__name__, ClusterCredentialError.__name__}
)


class ExecutionRecord(Record):
    """How a plan (or its undoing) went; `compensations` are the steps that may need undoing, in the order they were begun."""

    plan_hash: str
    steps: tuple[StepRecord, ...] = ()
    compensations: tuple[str, ...] = ()

    @property
    def stale(self) -> bool:
        return any(step.status is StepStatus.STALE for step in self.steps)

    @property
    def complete(self) -> bool:
        done = {StepStatus.APPLIED, StepStatus.ALREADY_APPLIED, StepStatus.NOTHING_TO_UNDO}
        return bool(self.steps) and all(step.status in done for step in self.steps)

    @property
    def changed_something(self) -> bool:
        return any(step.changed_something for step in self.steps)

    @property
    def out_of_reach(self) -> bool:
        """Whether it failed by the way to the cluster, and not by what was to be done there."""
        return any(step.error in _NO_WAY_THERE for step in self.steps)

    @classmethod
    def gave_up(cls, approved: ApprovedPlan, why: str, at: datetime) -> Self:
        """Of a run that ended without telling how far it came. An undo looks for the mark of each step, so all are named."""
        first = approved.steps[0]
        failed = StepRecord(
            step_id=first.id, action=first.action.type, status=StepStatus.FAILED, detail=f"gave up: {why}", at=at
        )
        return cls(plan_hash=approved.plan.hash, steps=(failed,), compensations=tuple(step.id for step in approved.steps))
