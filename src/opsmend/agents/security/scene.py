"""What a review looks at: a plan, the objects that it is about as they stand, and what each step would make of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from opsmend.domain.actions.action import LiveObject
from opsmend.domain.actions.planned_step import projected
from opsmend.domain.plan import Plan, PlannedStep
from opsmend.domain.record import JsonObject
from opsmend.domain.target import WORKLOAD_KINDS
from opsmend.errors import OpsmendError


class Projection(NamedTuple):
    """A step with its object, or the pod template in that, before and after it."""

    step: PlannedStep
    before: JsonObject
    after: JsonObject


@dataclass(frozen=True)
class Scene:
    """`live` is keyed by `str(action.target)`. Checks share it, so they must leave the objects as they are."""

    plan: Plan
    live: Mapping[str, LiveObject]

    @cached_property
    def objects(self) -> tuple[Projection, ...]:
        """Of all steps; one on an object that an earlier one changed starts from what that left.

        Steps that do not fit the live object are left out: the check of the plan's integrity blocks them.
        """
        current = dict(self.live)
        seen = []
        for step in self.plan.steps:
            key = str(step.action.target)
            if key not in current:
                continue
            try:
                after = projected(step.action, current[key])
            except OpsmendError:
                continue
            seen.append(Projection(step, current[key].object, after.object))
            current[key] = after
        return tuple(seen)

    @cached_property
    def templates(self) -> tuple[Projection, ...]:
        """Pod templates, of the steps on workloads."""
        return tuple(
            Projection(step, before["spec"]["template"], after["spec"]["template"])
            for step, before, after in self.objects
            if step.action.target.kind in WORKLOAD_KINDS
        )


def containers_by_name(template: JsonObject) -> dict[str, dict[str, Any]]:
    """All containers of a pod template, init and ephemeral ones included."""
    spec = template.get("spec") or {}
    kinds = ("containers", "initContainers", "ephemeralContainers")
    return {container["name"]: container for kind in kinds for container in spec.get(kind) or []}
