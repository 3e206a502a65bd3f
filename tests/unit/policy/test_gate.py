"""Each gate refuses what it is there for, and the first refusal ends it."""

from collections.abc import Callable
from typing import ClassVar

import pytest
from tests.builders import a_person, a_plan, a_ref, a_step, an_approval, an_approved_plan
from tests.unit.policy.plans import a_restart_plan

from opsmend.domain.actions.action import Action
from opsmend.domain.actions.restart_workload import RestartWorkload
from opsmend.domain.approval import Person
from opsmend.domain.execution import ApprovedPlan
from opsmend.domain.plan import Plan, PlannedStep
from opsmend.domain.verdict import Autonomy, PolicyDecision
from opsmend.policy.engine import CedarJudge
from opsmend.policy.gate import GATE, PASSED, GateVerdict, check_gate

pytestmark = pytest.mark.safety


class Ruling:
    """A judge whose word is given."""

    def __init__(self, autonomy: Autonomy = Autonomy.APPROVE, may_decide: bool = True) -> None:
        self._autonomy, self._may_decide = autonomy, may_decide

    def judge_plan(self, plan: Plan, *, cluster: str, severity: str, hour_utc: int) -> PolicyDecision:
        return PolicyDecision(autonomy=self._autonomy, policies=("p",), reason="so ruled")

    def may_change_config(self, namespace: str, *, cluster: str) -> PolicyDecision:
        return PolicyDecision(autonomy=self._autonomy, policies=("p",), reason="so ruled")

    def may_decide(self, person: Person, plan: Plan, *, cluster: str) -> PolicyDecision:
        return PolicyDecision(
            autonomy=Autonomy.APPROVE if self._may_decide else Autonomy.OBSERVE, policies=(), reason="so ruled"
        )

    def may_operate(self, person: Person, *, cluster: str) -> PolicyDecision:
        return self.may_decide(person, a_plan(), cluster=cluster)


def passing(
    approved: ApprovedPlan, step: PlannedStep | None = None, judge: Ruling | CedarJudge | None = None
) -> list[GateVerdict]:
    return check_gate(approved, step or approved.steps[0], judge or Ruling(), cluster="demo", severity="warning", hour_utc=12)


def refusal(verdicts: list[GateVerdict]) -> GateVerdict:
    assert all(v.passed for v in verdicts[:-1])
    assert not verdicts[-1].passed
    return verdicts[-1]


def test_an_approved_plan_passes_every_gate_with_a_reason() -> None:
    verdicts = passing(an_approved_plan(), judge=CedarJudge())
    assert [v.gate for v in verdicts] == [name for name, _ in GATE] == list(PASSED)
    assert all(v.passed and v.reason for v in verdicts)


def test_the_exact_inverse_of_a_step_passes_every_gate() -> None:
    assert all(v.passed for v in passing(an_approved_plan(undo=("1",)), judge=CedarJudge()))


class Wipe(RestartWorkload):
    """An action that nobody listed."""

    kinds: ClassVar = RestartWorkload.kinds


def _altered() -> ApprovedPlan:
    plan = a_plan()
    return an_approved_plan(plan.model_copy(update={"steps": a_restart_plan(namespace="kube-system").steps}))


def _other_step() -> tuple[ApprovedPlan, PlannedStep]:
    return an_approved_plan(), a_restart_plan(name="other").steps[0]


def _bent_undo() -> tuple[ApprovedPlan, PlannedStep]:
    approved = an_approved_plan(undo=("1",))
    return approved, approved.steps[0].model_copy(update={"action": a_restart_plan().steps[0].action})


def _unlisted_action() -> ApprovedPlan:
    action: Action = Wipe(target=a_ref(), restarted_at=None)
    plan = a_plan()
    step = plan.steps[0].model_copy(update={"action": action, "inverse": action})
    bent = plan.model_copy(update={"steps": (step,)})
    return an_approved_plan(bent.model_copy(update={"hash": bent.computed_hash()}))


def _inverse_elsewhere() -> ApprovedPlan:
    return an_approved_plan(a_plan(a_step(inverse=a_restart_plan(name="other").steps[0].action)))


def _without_precondition() -> ApprovedPlan:
    return an_approved_plan(a_plan(a_step(precondition={"uid": "", "spec_digest": ""})))


def _rejected() -> ApprovedPlan:
    return an_approved_plan(approval=an_approval(decision="reject"))


def _approved_another() -> ApprovedPlan:
    return an_approved_plan(a_plan(attempt=2), approval=an_approval(a_plan(attempt=1)))


def _not_a_kind() -> ApprovedPlan:
    step = a_plan().steps[0]
    bent = step.action.model_copy(update={"target": a_ref("Node", "n1")})
    return an_approved_plan(a_plan().model_copy(update={"steps": (step.model_copy(update={"action": bent}),)}))


REFUSED: dict[str, tuple[Callable[[], ApprovedPlan | tuple[ApprovedPlan, PlannedStep]], str]] = {
    "action on a kind that it is not for": (_not_a_kind, "schema"),
    "plan altered after it was sealed": (_altered, "plan_hash"),
    "step of another plan": (_other_step, "step_of_this_plan"),
    "undo that is not the inverse": (_bent_undo, "step_of_this_plan"),
    "undo of a step that is not there": (
        lambda: (an_approved_plan(undo=("7",)), a_plan().undoing(("1",))[0]),
        "step_of_this_plan",
    ),
    "action that nobody listed": (_unlisted_action, "allowlist"),
    "inverse on another object": (_inverse_elsewhere, "allowlist"),
    "no precondition": (_without_precondition, "precondition_known"),
    "rejected": (_rejected, "approval_of_this_hash"),
    "approval of another plan": (_approved_another, "approval_of_this_hash"),
}


@pytest.mark.parametrize(("build", "gate"), REFUSED.values(), ids=REFUSED.keys())
def test_what_must_not_run_is_refused_by_its_gate(
    build: Callable[[], ApprovedPlan | tuple[ApprovedPlan, PlannedStep]], gate: str
) -> None:
    built = build()
    approved, step = built if isinstance(built, tuple) else (built, built.steps[0])
    verdict = refusal(passing(approved, step))
    assert verdict.gate == gate
    assert verdict.reason != PASSED[gate]


@pytest.mark.parametrize("autonomy", [Autonomy.OBSERVE, Autonomy.SUGGEST])
def test_a_plan_that_policy_forbids_by_now_is_refused_though_approved(autonomy: Autonomy) -> None:
    verdict = refusal(passing(an_approved_plan(), judge=Ruling(autonomy)))
    assert verdict.gate == "policy"
    assert "so ruled" in verdict.reason


def test_an_approver_who_may_not_decide_is_refused() -> None:
    assert refusal(passing(an_approved_plan(), judge=Ruling(may_decide=False))).gate == "approver"


def by_policy(undo: tuple[str, ...] = ()) -> ApprovedPlan:
    return an_approved_plan(approval=an_approval(by=a_person(via="policy", id="restart-dev-at-night")), undo=undo)


def test_an_approval_by_policy_counts_only_while_policy_still_says_auto() -> None:
    assert all(v.passed for v in passing(by_policy(), judge=Ruling(Autonomy.AUTO)))
    assert refusal(passing(by_policy(), judge=Ruling(Autonomy.APPROVE))).gate == "policy"


def test_what_ran_by_itself_can_be_undone_after_its_hour() -> None:
    assert all(v.passed for v in passing(by_policy(undo=("1",)), judge=Ruling(Autonomy.APPROVE)))
