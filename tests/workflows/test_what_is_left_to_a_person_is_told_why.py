"""Wherever opsmend cannot go on, the incident ends with a person, and says what stopped it and what was changed."""

from collections.abc import Callable
from typing import Any

import pytest

from opsmend.agents import work
from opsmend.domain.actions.action import LiveObject
from opsmend.domain.budget import Budget
from opsmend.domain.call_ledger import ApiCall
from opsmend.domain.execution import StepRecord
from opsmend.domain.incident import Outcome, Status
from opsmend.domain.plan import PlannedStep
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.target import Target
from opsmend.errors import ClusterForbiddenError
from tests.builders import a_crashing_container, a_decision_request, a_pod, a_snapshot, a_template, a_workload
from tests.workflows.conftest import GIVES_UP_SOON, INCIDENT, MakeWorld, World
from tests.workflows.fakes import CannotBeUndone, ClusterInMemory

pytestmark = pytest.mark.safety


async def approve(world: World) -> None:
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))


async def test_a_world_that_changes_under_one_plan_after_the_other(world: World) -> None:
    await world.alert()
    seen: set[str] = set()
    for _ in range(3):
        asked = await world.until(
            lambda s: s.status is Status.AWAITING_APPROVAL and s.plan is not None and s.plan.hash not in seen
        )
        assert asked.plan is not None
        seen.add(asked.plan.hash)
        world.cluster.edit()
        await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    closed = await world.until_closed()
    assert closed.outcome is Outcome.ESCALATED
    assert closed.closing == "the world changed under 3 plans in a row"
    assert world.cluster.changes == []


class NoImageSinceItWasBorn(ClusterInMemory):
    """There is no earlier revision to go back to."""

    async def snapshot(self, target: Target) -> Snapshot:
        waiting = a_crashing_container("", waiting_reason="ImagePullBackOff", waiting_message="not found", last_terminated=None)
        template = a_template("registry.example/web:1.5.0")
        pods = tuple(a_pod(f"web-6d4cf-{suffix}", template=template, containers=[waiting]) for suffix in "ab")
        return a_snapshot(target=target, workload=a_workload(template=template, ready_replicas=0), pods=pods)


async def test_a_fault_that_no_action_removes(make_world: MakeWorld) -> None:
    world = await make_world(cluster=NoImageSinceItWasBorn())
    await world.alert()
    closed = await world.until_closed()
    assert closed.outcome is Outcome.ESCALATED
    assert closed.diagnosis is not None
    summary, _, why = closed.closing.partition(". No plan: ")
    assert summary == closed.diagnosis.summary
    assert "opsmend may not do it: " in why
    assert closed.plan is None


async def test_a_change_that_is_refused_for_good(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(step: PlannedStep, marker: str) -> StepRecord:
        raise ClusterForbiddenError("patch of deployments.apps is forbidden")

    monkeypatch.setattr(world.cluster, "apply", refused)
    await world.alert()
    await approve(world)
    closed = await world.until_closed()
    assert closed.outcome is Outcome.ESCALATED
    assert closed.closing == (
        "the plan could not be carried out (1 rollback_workload failed (patch of deployments.apps is forbidden));"
        " there was nothing of ours left to undo"
    )
    assert world.cluster.changes == []


async def test_a_fix_that_did_not_help_and_cannot_be_undone(make_world: MakeWorld) -> None:
    world = await make_world(cluster=CannotBeUndone(), patience=GIVES_UP_SOON)
    plan = await world.until_verifying()
    closed = await world.until_closed()
    assert closed.outcome is Outcome.ESCALATED
    assert closed.closing.startswith("the fix did not help (")
    assert "AND IT COULD NOT BE UNDONE (" in closed.closing
    assert "patch of deployments.apps is forbidden" in closed.closing
    assert world.cluster.changes == [f"{plan.hash}#1"]


async def test_a_fix_that_nobody_could_look_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def forbidden(target: Target, changes: Any = (), *, closely: bool) -> Any:
        raise ClusterForbiddenError("get of deployments.apps is forbidden")

    monkeypatch.setattr(world.cluster, "look", forbidden)
    await world.alert()
    await approve(world)
    closed = await world.until_closed()
    assert closed.outcome is Outcome.ROLLED_BACK
    assert closed.closing.startswith("the fix did not help (verification failed)")
    (failed,) = [entry.detail for entry in closed.timeline if entry.event == "verification.failed"]
    assert "get of deployments.apps is forbidden" in failed


def each_read_costs_a_call(world: World) -> Callable[..., Any]:
    read = world.cluster.read

    async def counted(*args: Any, **more: Any) -> LiveObject:
        doing = work.current()
        assert doing is not None
        doing.enter(ApiCall(verb="get", resource="deployments.apps", namespace="shop"), 100)
        return await read(*args, **more)

    return counted


@pytest.mark.parametrize(
    ("calls", "planned"),
    [pytest.param(2, False, id="spent-by-planning"), pytest.param(3, True, id="spent-by-the-review")],
)
async def test_a_budget_that_is_spent_before_anybody_is_asked(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, calls: int, planned: bool
) -> None:
    """The investigation takes two calls, planning and review one each."""
    world = await make_world(budget=Budget(tool_calls=calls))
    monkeypatch.setattr(world.cluster, "read", each_read_costs_a_call(world))
    await world.alert()
    closed = await world.until_closed()
    assert closed.outcome is Outcome.ESCALATED
    assert closed.closing == f"the budget of this incident is spent: {calls + 1} tool calls used of {calls}"
    assert (closed.plan is not None, closed.verdict) == (planned, None)
    assert world.cluster.changes == []
