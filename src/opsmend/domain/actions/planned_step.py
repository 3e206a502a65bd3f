"""From an action and the object as it is now to a step that a person can judge: exact diff, way back, precondition."""

from typing import cast

from opsmend.domain.actions import AnyAction
from opsmend.domain.actions.action import Action, LiveObject
from opsmend.domain.actions.object_digest import change_digest, spec_digest
from opsmend.domain.actions.readable_diff import Redact, readable_diff
from opsmend.domain.plan import PlannedStep, Precondition
from opsmend.errors import PlanStaleError


def plan_step(action: Action, live: LiveObject, *, reason: str, step_id: str, redact: Redact) -> PlannedStep:
    """`action` on `live` as a step of a plan.

    For a second step on the same object, pass `projected(first_action, live)`: a step is checked against what the steps
    before it leave behind.

    Raises:
        PlanStaleError: the object has not what the action changes, or is already as the action wants it.
        HumanNeededError: the change could not be undone.
    """
    desired = action.project(live)
    before = spec_digest(live.object)
    if spec_digest(desired) == before:
        raise PlanStaleError(f"{action.target} already is as {action.summary()!r} would make it.")
    return PlannedStep(
        id=step_id,
        action=cast(AnyAction, action),
        inverse=cast(AnyAction, action.inverse(live)),
        precondition=Precondition(uid=live.object["metadata"]["uid"], spec_digest=before),
        diff=readable_diff(live.object, desired, redact),
        diff_digest=change_digest(live.object, desired),
        blast_radius=action.blast_radius(live),
        reason=reason,
    )


def projected(action: Action, live: LiveObject) -> LiveObject:
    """`live` as `action` would leave it."""
    return live.model_copy(update={"object": action.project(live)})
