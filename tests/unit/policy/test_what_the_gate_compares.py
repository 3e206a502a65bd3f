"""The gate compares the whole of what it compares: one half that fits, or a hash that sorts before another, is not enough."""

import re

import pytest
from tests.builders import a_plan, a_step, an_approval, an_approved_plan
from tests.unit.policy.plans import a_restart_plan

from opsmend.domain.execution import ApprovedPlan
from opsmend.domain.plan import Plan
from opsmend.policy.engine import CedarJudge
from opsmend.policy.gate import check_gate

pytestmark = pytest.mark.safety


def refusal(approved: ApprovedPlan) -> tuple[str, str]:
    """The gate that refuses the first step, and why."""
    verdicts = check_gate(approved, approved.steps[0], CedarJudge(), cluster="demo", severity="warning", hour_utc=12)
    assert not verdicts[-1].passed
    return verdicts[-1].gate, verdicts[-1].reason


@pytest.mark.parametrize("other", ["0" * 64, "f" * 64], ids=["sorts before", "sorts after"])
def test_an_approval_of_any_other_hash_is_refused(other: str) -> None:
    approved = an_approved_plan(approval=an_approval().model_copy(update={"plan_hash": other}))
    gate, reason = refusal(approved)
    assert gate == "approval_of_this_hash"
    assert f"approved plan {other[:12]}, this is {approved.plan.short_hash}" in reason


@pytest.mark.parametrize("known", [{"uid": "u", "spec_digest": ""}, {"uid": "", "spec_digest": "d"}], ids=["uid", "digest"])
def test_a_step_must_say_which_object_it_is_for_and_what_that_must_still_be(known: dict[str, str]) -> None:
    assert refusal(an_approved_plan(a_plan(a_step(precondition=known))))[0] == "precondition_known"


def altered(to: str) -> Plan:
    return a_plan().model_copy(update={"steps": a_restart_plan(name=to).steps})


def test_an_altered_plan_is_refused_however_its_hash_sorts() -> None:
    plans = [altered(to=name) for name in "abcdefgh"]
    assert {plan.computed_hash() > plan.hash for plan in plans} == {True, False}
    assert {refusal(an_approved_plan(plan))[0] for plan in plans} == {"plan_hash"}


def test_an_altered_plan_is_told_with_the_hash_of_its_content_and_that_of_its_seal() -> None:
    plan = altered(to="other")
    _, reason = refusal(an_approved_plan(plan))
    assert re.findall(r"\b[0-9a-f]+\b", reason.partition("hash")[2]) == [plan.computed_hash()[:12], plan.short_hash]
