"""Fail closed: what does not help is taken back, what has gone stale is looked at again, never written over."""

from collections.abc import Callable

import pytest

from opsmend.domain.budget import Budget
from opsmend.domain.incident import IncidentState, Outcome
from tests.builders import a_decision_request
from tests.workflows.conftest import INCIDENT, MakeWorld, World


@pytest.mark.safety
async def test_a_fix_that_does_not_help_is_undone_and_the_message_says_that_a_person_has_to_look(world: World) -> None:
    before = world.cluster.object["spec"]["template"]
    world.metrics.firing = True
    await world.alert()
    asked = await world.until_asked()
    assert asked.plan is not None
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    closed = await world.until_closed()

    assert closed.outcome is Outcome.ROLLED_BACK
    assert world.cluster.object["spec"]["template"] == before
    assert world.cluster.changes == [f"{asked.plan.hash}#1", f"{asked.plan.hash}#undo-1"]
    told = await last_told(world, closed.run_id)
    assert told.outcome is Outcome.ROLLED_BACK
    assert told.closing.startswith("the fix did not help (")
    assert told.closing.endswith("every change was undone and a person has to look")


async def test_nothing_is_undone_when_the_alerts_resolve_while_the_fix_is_verified(world: World) -> None:
    await world.until_verifying()
    await world.alert(status="resolved")
    closed = await world.until_closed()

    assert closed.outcome is Outcome.SELF_RESOLVED
    assert len(world.cluster.changes) == 1


async def test_a_healthy_workload_whose_alert_has_stopped_firing_counts_as_fixed(world: World) -> None:
    world.metrics.firing = False
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    closed = await world.until_closed()
    assert closed.outcome is Outcome.REMEDIATED
    assert closed.verification is not None
    assert closed.verification.alert_recovered is True


async def test_what_verification_could_not_see_is_said(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    closed = await world.until_closed()
    assert closed.verification is not None
    assert closed.verification.alert_recovered is None
    assert any("KubePodCrashLooping" in unseen for unseen in closed.verification.unseen)


@pytest.mark.safety
async def test_an_edit_between_approval_and_execution_leads_to_a_new_plan_and_is_never_overwritten(world: World) -> None:
    await world.alert()
    first = await world.until_asked()
    assert first.plan is not None
    world.cluster.edit()
    await world.desk.decide(INCIDENT, a_decision_request(first.plan))

    second = await world.until(_asks_about_another_plan_than(first.plan.hash))
    assert second.plan is not None
    assert world.cluster.changes == []
    await world.desk.decide(INCIDENT, a_decision_request(second.plan))
    closed = await world.until_closed()

    assert closed.outcome is Outcome.REMEDIATED
    assert world.cluster.object["spec"]["replicas"] == 3


@pytest.mark.safety
async def test_an_edit_right_before_our_write_stops_the_write(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    assert asked.plan is not None

    def edit_once() -> None:
        world.cluster.before_apply = lambda: None
        world.cluster.edit()

    world.cluster.before_apply = edit_once
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    again = await world.until(_asks_about_another_plan_than(asked.plan.hash))
    assert again.outcome is None
    assert world.cluster.changes == []


@pytest.mark.safety
async def test_a_spent_budget_stops_the_incident_before_it_changes_anything(make_world: MakeWorld) -> None:
    world = await make_world(budget=Budget(tool_calls=0))
    await world.alert()
    closed = await world.until_closed()
    assert closed.outcome is Outcome.ESCALATED
    assert "budget" in closed.closing
    assert world.cluster.changes == []


async def last_told(world: World, run_id: str) -> IncidentState:
    """What the incident's message says in the end: a run ends only once it has told everything, and its alert is over."""
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT, run_id=run_id).result()
    return world.chat.messages[run_id].state


def _asks_about_another_plan_than(plan_hash: str) -> Callable[..., bool]:
    return lambda s: s.status == "awaiting_approval" and s.plan is not None and s.plan.hash != plan_hash
