"""Change how many pods a workload wants."""

from copy import deepcopy
from typing import ClassVar, Literal

from pydantic import Field

from opsmend.domain.actions.action import Action, BlastRadius, LiveObject
from opsmend.domain.actions.workload_fields import desired_replicas
from opsmend.domain.record import JsonObject
from opsmend.domain.target import Kind


class ScaleWorkload(Action):
    """An autoscaler of the workload may overrule it within seconds; whoever plans this looks for one first."""

    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.DEPLOYMENT, Kind.STATEFUL_SET})

    type: Literal["scale_workload"] = "scale_workload"
    replicas: int = Field(ge=0)

    def summary(self) -> str:
        return f"Scale {self.target} to {self.replicas} replicas"

    def project(self, live: LiveObject) -> JsonObject:
        desired = deepcopy(live.object)
        desired["spec"]["replicas"] = self.replicas
        return desired

    def inverse(self, live: LiveObject) -> "ScaleWorkload":
        return ScaleWorkload(target=self.target, replicas=desired_replicas(live.object))

    def blast_radius(self, live: LiveObject) -> BlastRadius:
        now = desired_replicas(live.object)
        return BlastRadius(pods=abs(self.replicas - now), interrupts=self.replicas < now, objects=(self.target,))
