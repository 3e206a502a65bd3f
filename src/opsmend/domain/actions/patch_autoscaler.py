"""Change between how many replicas a HorizontalPodAutoscaler may choose."""

from copy import deepcopy
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from opsmend.domain.actions.action import Action, BlastRadius, LiveObject
from opsmend.domain.record import JsonObject
from opsmend.domain.target import Kind, ObjectRef
from opsmend.errors import PlanStaleError


class PatchAutoscaler(Action):
    """A bound that is None is left as it is. What the autoscaler then does within its bounds is its own decision."""

    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.HORIZONTAL_POD_AUTOSCALER})

    type: Literal["patch_autoscaler"] = "patch_autoscaler"
    min_replicas: int | None = Field(default=None, ge=1)
    max_replicas: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.min_replicas is None and self.max_replicas is None:
            raise ValueError("name a bound to change")
        if self.min_replicas is not None and self.max_replicas is not None and self.min_replicas > self.max_replicas:
            raise ValueError(f"at least {self.min_replicas} and at most {self.max_replicas} replicas cannot both hold")
        return self

    def summary(self) -> str:
        parts = [f"at least {self.min_replicas}"] if self.min_replicas is not None else []
        parts += [f"at most {self.max_replicas}"] if self.max_replicas is not None else []
        return f"Let {self.target} choose {' and '.join(parts)} replicas"

    def project(self, live: LiveObject) -> JsonObject:
        least, most = self._bounds(live.object)
        if least > most:
            raise PlanStaleError(f"{self.target} would have to choose at least {least} and at most {most} replicas.")
        desired = deepcopy(live.object)
        if self.min_replicas is not None:
            desired["spec"]["minReplicas"] = self.min_replicas
        if self.max_replicas is not None:
            desired["spec"]["maxReplicas"] = self.max_replicas
        return desired

    def _bounds(self, autoscaler: JsonObject) -> tuple[int, int]:
        """As they will be."""
        least, most = _bounds_of(autoscaler)
        return self.min_replicas or least, self.max_replicas or most

    def inverse(self, live: LiveObject) -> "PatchAutoscaler":
        least, most = _bounds_of(live.object)
        return PatchAutoscaler(
            target=self.target,
            min_replicas=None if self.min_replicas is None else least,
            max_replicas=None if self.max_replicas is None else most,
        )

    def blast_radius(self, live: LiveObject) -> BlastRadius:
        """The pods that the autoscaler may start, or has to start or stop, because of it."""
        before, (least, most) = _bounds_of(live.object), self._bounds(live.object)
        now = int((live.object.get("status") or {}).get("currentReplicas") or before[0])
        stopped, forced = max(now - most, 0), max(least - now, 0)
        objects = (self.target, *_scaled(self.target, live.object))
        return BlastRadius(pods=max(most - before[1], stopped, forced, 0), interrupts=stopped > 0, objects=objects)


def _bounds_of(autoscaler: JsonObject) -> tuple[int, int]:
    """Its least and most replicas; the API server writes the default of one out."""
    spec = autoscaler["spec"]
    return int(spec.get("minReplicas", 1)), int(spec["maxReplicas"])


def _scaled(target: ObjectRef, autoscaler: JsonObject) -> tuple[ObjectRef, ...]:
    """The workload, so that policies are asked about it too; none where it is of a kind that we do not know."""
    reference = autoscaler["spec"].get("scaleTargetRef") or {}
    if reference.get("kind") not in (Kind.DEPLOYMENT, Kind.STATEFUL_SET):
        return ()
    return (ObjectRef(kind=Kind(reference["kind"]), namespace=target.namespace, name=reference["name"]),)
