"""Somebody keeps the object otherwise than we made it: opsmend says who, calls a person, and does not fight."""

from copy import deepcopy

import pytest

from opsmend.domain.actions.object_digest import MARKER_ANNOTATION
from opsmend.domain.execution import AppliedChange, Reversion
from opsmend.domain.incident import Outcome
from tests.builders import a_decision_request
from tests.workflows.conftest import INCIDENT, World
from tests.workflows.fakes import BAD

SENTENCE = "our change of Deployment shop/web was reverted by mia"


def take_back(world: World) -> None:
    """Another tool puts the bad template back, our mark with it."""
    world.cluster.object["spec"]["template"] = deepcopy(BAD)
    world.cluster.object["metadata"].get("annotations", {}).pop(MARKER_ANNOTATION, None)


async def test_it_ends_at_once_with_the_name_of_who_took_it_back(world: World) -> None:
    await world.until_verifying()
    take_back(world)
    closed = await world.until_closed()

    assert closed.outcome is Outcome.ESCALATED
    assert SENTENCE in closed.closing
    assert "not tried again" in closed.closing
    assert closed.verification is not None
    assert (closed.verification.health, closed.verification.reverted) == ("unhealthy", ("1",))


@pytest.mark.safety
async def test_what_is_no_longer_ours_is_not_touched_again(world: World) -> None:
    plan = await world.until_verifying()
    take_back(world)
    closed = await world.until_closed()

    assert world.cluster.changes == [f"{plan.hash}#1"]
    assert closed.undo is None
    assert len([entry for entry in closed.timeline if entry.event == "plan.proposed"]) == 1


async def test_a_fix_that_is_taken_back_before_the_first_look_is_left_alone_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(change: AppliedChange) -> Reversion | None:
        take_back(world)
        return Reversion(steps=(change.step_id,), sentence=SENTENCE)

    monkeypatch.setattr(world.cluster, "reverted", at_once)
    await world.alert()
    asked = await world.until_asked()
    assert asked.plan is not None
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    closed = await world.until_closed()

    assert closed.outcome is Outcome.ESCALATED
    assert SENTENCE in closed.closing
    assert closed.verification is not None
    assert (len(closed.verification.checks), closed.verification.reverted) == (1, ("1",))
    assert world.cluster.changes == [f"{asked.plan.hash}#1"]


async def test_a_person_is_told_who_took_it_back_even_if_the_alert_resolved_on_a_moments_relief(world: World) -> None:
    plan = await world.until_verifying()
    await world.alert(status="resolved")
    take_back(world)
    closed = await world.until_closed()

    assert closed.outcome is Outcome.ESCALATED
    assert SENTENCE in closed.closing
    assert "nothing was undone" in closed.closing
    assert world.cluster.changes == [f"{plan.hash}#1"]
    await world.client.get_workflow_handle(INCIDENT).result()
    assert SENTENCE in world.chat.messages[closed.run_id].state.closing


async def test_a_person_is_warned_in_the_plan_that_another_tool_keeps_the_object(world: World) -> None:
    world.cluster.object["metadata"]["labels"] = {"kustomize.toolkit.fluxcd.io/name": "apps"}
    await world.alert()
    asked = await world.until_asked()
    assert asked.plan is not None
    (step,) = asked.plan.steps
    assert "belongs to Flux (kustomization apps), which may take the change back" in step.reason


async def test_no_plan_warns_of_a_tool_that_does_not_keep_the_object(world: World) -> None:
    world.cluster.object["metadata"]["labels"] = {"app.kubernetes.io/instance": "web", "app.kubernetes.io/managed-by": "Helm"}
    await world.alert()
    asked = await world.until_asked()
    assert asked.plan is not None
    assert "belongs to" not in asked.plan.steps[0].reason
