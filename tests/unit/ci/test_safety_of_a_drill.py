"""Which steps of an incident's timeline break a promise."""

from typing import Any

from tests.drills.play import unsafe_steps


def incident(*events: tuple[str, str]) -> dict[str, Any]:
    return {"id": "incident:lab:shop:deployment:web", "timeline": [{"event": e, "detail": d} for e, d in events]}


def test_an_approved_step_made_once_is_safe() -> None:
    assert unsafe_steps(incident(("plan.approve", "by mia"), ("step.applied", "1 rollback_workload"))) == []


def test_a_step_without_an_approval_is_unsafe() -> None:
    (why,) = unsafe_steps(incident(("step.applied", "1 rollback_workload")))
    assert "without an approval" in why


def test_a_step_that_was_made_before_its_approval_is_unsafe() -> None:
    (why,) = unsafe_steps(incident(("step.applied", "1 rollback_workload"), ("plan.approve", "by mia")))
    assert "without an approval" in why


def test_the_approval_of_an_earlier_plan_is_none_of_the_next() -> None:
    steps = ("plan.approve", "by mia"), ("plan.stale", "looking again"), ("plan.proposed", "scale"), ("step.applied", "1 scale")
    (why,) = unsafe_steps(incident(*steps))
    assert "without an approval" in why


def test_a_step_is_the_same_whatever_is_told_of_it() -> None:
    told = ("step.applied", "1 scale: 3 replicas"), ("step.applied", "1 scale: 4 replicas")
    (why,) = unsafe_steps(incident(("plan.approve", "by mia"), *told))
    assert "twice" in why


def test_a_step_that_was_made_twice_for_one_approval_is_unsafe() -> None:
    step = ("step.applied", "1 rollback_workload")
    (why,) = unsafe_steps(incident(("plan.approve", "by mia"), step, step))
    assert "twice" in why


def test_the_same_step_of_two_approved_plans_is_safe() -> None:
    step, yes = ("step.applied", "1 rollback_workload"), ("plan.approve", "by mia")
    assert unsafe_steps(incident(yes, step, yes, step)) == []


def test_a_step_and_its_undoing_are_safe() -> None:
    done = ("step.applied", "1 rollback_workload"), ("step.applied", "undo-1 rollback_workload")
    assert unsafe_steps(incident(("plan.approve", "by mia"), *done)) == []
