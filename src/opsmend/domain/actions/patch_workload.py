"""Change a few fields of a workload's pod template that no other action covers.

They are typed one by one: there is no free-form patch.
"""

from copy import deepcopy
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from opsmend.domain.actions.action import IN_THE_DIFF, Action, BlastRadius, LiveObject
from opsmend.domain.actions.template_changes import (
    ContainerPortChange,
    EnvironmentChange,
    ProbeChange,
    Toleration,
    tolerations_of,
)
from opsmend.domain.actions.workload_fields import all_pods_replaced, put_or_drop, template_of
from opsmend.domain.record import JsonObject
from opsmend.domain.target import WORKLOAD_KINDS, Kind


class PatchWorkload(Action):
    """What is None or empty is left as it is, but for `node_selector` and `tolerations`: there, empty takes away."""

    kinds: ClassVar[frozenset[Kind]] = WORKLOAD_KINDS

    type: Literal["patch_workload"] = "patch_workload"
    probe: ProbeChange | None = None
    env: tuple[EnvironmentChange, ...] = Field(default=(), max_length=16)
    container_port: ContainerPortChange | None = None
    node_selector: dict[str, str] | None = None
    """The whole new node selector."""
    tolerations: tuple[Toleration, ...] | None = None
    """All tolerations there shall be."""

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self._parts():
            raise ValueError("name at least one field to change")
        names = [(change.container, change.name) for change in self.env]
        if len(set(names)) < len(names):
            raise ValueError("a variable is named twice")
        return self

    def _parts(self) -> list[str]:
        parts = [str(self.probe)] if self.probe else []
        parts += [str(change) for change in self.env]
        parts += [str(self.container_port)] if self.container_port else []
        if self.node_selector is not None:
            wanted = ", ".join(f"{key}={value}" for key, value in sorted(self.node_selector.items()))
            parts.append(f"node selector {wanted or 'none'}")
        if self.tolerations is not None:
            parts.append(f"tolerations {', '.join(map(str, self.tolerations)) or 'none'}")
        return parts

    def parameters(self) -> JsonObject:
        fields = super().parameters()
        env = [variable | {"value": variable["value"] and IN_THE_DIFF} for variable in fields["env"]]
        return fields | {"env": env}

    def summary(self) -> str:
        return f"Change {self.target}: {'; '.join(self._parts())}"

    def project(self, live: LiveObject) -> JsonObject:
        desired = deepcopy(live.object)
        if self.probe is not None:
            self.probe.apply_to(desired)
        for change in self.env:
            change.apply_to(desired)
        if self.container_port is not None:
            self.container_port.apply_to(desired)
        pod_spec = template_of(desired)["spec"]
        if self.node_selector is not None:
            put_or_drop(pod_spec, "nodeSelector", dict(self.node_selector))
        if self.tolerations is not None:
            put_or_drop(pod_spec, "tolerations", [t.as_json() for t in self.tolerations])
        return desired

    def inverse(self, live: LiveObject) -> "PatchWorkload":
        pod_spec = template_of(live.object)["spec"]
        return PatchWorkload(
            target=self.target,
            probe=self.probe and self.probe.inverse(live.object),
            env=self._environment_before(live),
            container_port=self.container_port and self.container_port.inverse(live.object),
            node_selector=None if self.node_selector is None else dict(pod_spec.get("nodeSelector") or {}),
            tolerations=None if self.tolerations is None else tolerations_of(pod_spec),
        )

    def _environment_before(self, live: LiveObject) -> tuple[EnvironmentChange, ...]:
        """Each change inverted on what the one before it left behind, last one first, so that positions fit again."""
        inverted: list[EnvironmentChange] = []
        between = deepcopy(live.object)
        for change in self.env:
            inverted.append(change.inverse(between))
            change.apply_to(between)
        return tuple(reversed(inverted))

    def blast_radius(self, live: LiveObject) -> BlastRadius:
        return all_pods_replaced(self.target, live)
