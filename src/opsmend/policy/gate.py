"""The gate: what every mutation passes right before it happens, in one list, so that a reader sees that nothing is missing.

These checks are pure. Three more follow. The deployment agent asks whether changes are paused or a limit of change is reached
(domain/change_control.py); what cannot be read counts as a refusal. The cluster writer checks the object as it stands then: the
precondition (`ClusterWriter.dry_run` and `apply` refuse with PlanStaleError when uid or spec are not the plan's) and the
server's dry run.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from pydantic import ValidationError

from opsmend.domain.actions import ACTIONS
from opsmend.domain.approval import Answer
from opsmend.domain.execution import ApprovedPlan
from opsmend.domain.plan import PlannedStep
from opsmend.domain.ports.judge import Judge
from opsmend.domain.record import Record
from opsmend.domain.verdict import Autonomy
from opsmend.errors import bounded

POLICY_ITSELF: Final = "policy"
"""`Person.via` of the approval that an `auto` plan carries."""


class GateVerdict(Record):
    """One gate's word. `reason` is a sentence, also when it passed."""

    gate: str
    passed: bool
    reason: str


class Passage(NamedTuple):
    """What is about to happen, and under which circumstances."""

    approved: ApprovedPlan
    step: PlannedStep
    judge: Judge
    cluster: str
    severity: str
    hour_utc: int


def check_gate(
    approved: ApprovedPlan, step: PlannedStep, judge: Judge, *, cluster: str, severity: str, hour_utc: int
) -> list[GateVerdict]:
    """The verdicts in the order of GATE, up to and including the first refusal: all passed = the step may go on.

    `step` is one of `approved.steps`, which are undo steps when the plan is being undone.
    """
    passage = Passage(approved, step, judge, cluster, severity, hour_utc)
    verdicts = []
    for name, check in GATE:
        refusal = check(passage)
        verdicts.append(GateVerdict(gate=name, passed=refusal is None, reason=refusal or PASSED[name]))
        if refusal:
            break
    return verdicts


def _schema(passage: Passage) -> str | None:
    # Copies made with changes are not validated by pydantic, and history may hold what an older version wrote.
    try:
        ApprovedPlan.model_validate(passage.approved.model_dump())
        PlannedStep.model_validate(passage.step.model_dump())
    except ValidationError as e:
        return f"the plan is not what the schema allows: {bounded(str(e))}"
    return None


def _plan_is_whole(passage: Passage) -> str | None:
    plan = passage.approved.plan
    if plan.computed_hash() != plan.hash:
        return f"the plan was altered: its content has hash {plan.computed_hash()[:12]}, it was sealed as {plan.short_hash}"
    return None


def _step_of_this_plan(passage: Passage) -> str | None:
    if passage.step in passage.approved.steps:
        return None
    wanted = "the exact inverse of a step" if passage.approved.undo else "a step"
    return f"step {passage.step.id} is not {wanted} of plan {passage.approved.plan.short_hash}"


def _allowlist(passage: Passage) -> str | None:
    for action in (passage.step.action, passage.step.inverse):
        if type(action) not in ACTIONS:
            return f"{type(action).__name__} is not one of the actions that opsmend may do"
        if action.target.kind not in type(action).kinds:
            return f"{action.type} is not meant for a {action.target.kind}"
    if passage.step.inverse.target != passage.step.action.target:
        return f"the step changes {passage.step.action.target}, its inverse {passage.step.inverse.target}"
    return None


def _precondition_known(passage: Passage) -> str | None:
    known = passage.step.precondition
    return None if known.uid and known.spec_digest else "the step does not say what the object must still be"


def _policy(passage: Passage) -> str | None:
    decision = passage.judge.judge_plan(
        passage.approved.plan, cluster=passage.cluster, severity=passage.severity, hour_utc=passage.hour_utc
    )
    enough = {Autonomy.APPROVE, Autonomy.AUTO}
    if passage.approved.approval.by.via == POLICY_ITSELF and not passage.approved.undo:
        # Nobody approved it. Taking back what ran by itself is covered by the leave that it had then.
        enough = {Autonomy.AUTO}
    return None if decision.autonomy in enough else f"policy now allows only {decision.autonomy}: {decision.reason}"


def _approval_of_this_hash(passage: Passage) -> str | None:
    approval, plan = passage.approved.approval, passage.approved.plan
    if approval.decision is not Answer.APPROVE:
        return f"{approval.by} rejected it"
    if approval.plan_hash != plan.hash:
        return f"{approval.by} approved plan {approval.plan_hash[:12]}, this is {plan.short_hash}"
    return None


def _approver(passage: Passage) -> str | None:
    by = passage.approved.approval.by
    if by.via == POLICY_ITSELF:
        return None
    decision = passage.judge.may_decide(by, passage.approved.plan, cluster=passage.cluster)
    return f"{by} may not decide on it: {decision.reason}" if decision.autonomy is Autonomy.OBSERVE else None


GATE: Final[tuple[tuple[str, Callable[[Passage], str | None]], ...]] = (
    ("schema", _schema),
    ("plan_hash", _plan_is_whole),
    ("step_of_this_plan", _step_of_this_plan),
    ("allowlist", _allowlist),
    ("precondition_known", _precondition_known),
    ("policy", _policy),
    ("approval_of_this_hash", _approval_of_this_hash),
    ("approver", _approver),
)
"""Name and check, in order; a check returns why it refuses, None to let pass."""

PASSED: Final = {
    "schema": "plan and step are what the schema allows",
    "plan_hash": "the plan is as it was sealed",
    "step_of_this_plan": "the step is one of this plan, or the exact inverse of one",
    "allowlist": "the action is one of ours and meant for this kind of object",
    "precondition_known": "the step says what the object must still be",
    "policy": "policy allows it now",
    "approval_of_this_hash": "exactly this plan was approved",
    "approver": "the one who approved it may decide",
}
