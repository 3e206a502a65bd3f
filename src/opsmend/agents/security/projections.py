"""Objects before and after each step of a plan, for the checks that compare them."""

from collections.abc import Iterator, Mapping
from typing import Any

from opsmend.domain.actions.action import LiveObject
from opsmend.domain.plan import Plan, PlannedStep
from opsmend.domain.record import JsonObject
from opsmend.domain.target import WORKLOAD_KINDS
from opsmend.errors import OpsmendError


def projections(plan: Plan, live: Mapping[str, LiveObject]) -> Iterator[tuple[PlannedStep, JsonObject, JsonObject]]:
    """(step, object before, object after); a step on an object that an earlier one changed starts from what that left.

    Steps that do not fit the live object are left out: the check of the plan's integrity blocks them.
    """
    current = dict(live)
    for step in plan.steps:
        key = str(step.action.target)
        if key not in current:
            continue
        try:
            after = step.action.project(current[key])
        except OpsmendError:
            continue
        yield step, current[key].object, after
        current[key] = current[key].model_copy(update={"object": after})


def projected_templates(plan: Plan, live: Mapping[str, LiveObject]) -> Iterator[tuple[PlannedStep, JsonObject, JsonObject]]:
    """(step, pod template before, pod template after) of the steps on workloads."""
    for step, before, after in projections(plan, live):
        if step.action.target.kind in WORKLOAD_KINDS:
            yield step, before["spec"]["template"], after["spec"]["template"]


def containers_by_name(template: JsonObject) -> dict[str, dict[str, Any]]:
    """All containers of a pod template, init and ephemeral ones included."""
    spec = template.get("spec") or {}
    kinds = ("containers", "initContainers", "ephemeralContainers")
    return {container["name"]: container for kind in kinds for container in spec.get(kind) or []}
