"""Correct which pods a Service selects, or the port of theirs that it sends traffic to."""

from copy import deepcopy
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from opsmend.domain.actions.action import Action, BlastRadius, LiveObject
from opsmend.domain.actions.workload_fields import put_or_drop
from opsmend.domain.record import JsonObject
from opsmend.domain.target import Kind
from opsmend.errors import PlanStaleError, bounded


class PatchService(Action):
    """What is None is left as it is."""

    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.SERVICE})

    type: Literal["patch_service"] = "patch_service"
    selector: dict[str, str] | None = None
    """The whole new selector; an empty one takes it away."""
    port: str | None = Field(default=None, max_length=63)
    """The Service port whose target changes: its name, or its number as text."""
    target_port: int | str | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if (self.port is None) != (self.target_port is None):
            raise ValueError("port and target_port belong together")
        if self.selector is None and self.port is None:
            raise ValueError("name a selector or a port to change")
        return self

    def summary(self) -> str:
        parts = []
        if self.selector is not None:
            wanted = ", ".join(f"{key}={value}" for key, value in sorted(self.selector.items())) or "nothing"
            parts.append(f"select {wanted}")
        if self.port is not None:
            parts.append(f"send port {self.port} to {self.target_port}")
        return f"Let {self.target} {' and '.join(parts)}"

    def project(self, live: LiveObject) -> JsonObject:
        desired = deepcopy(live.object)
        if self.selector is not None:
            put_or_drop(desired["spec"], "selector", dict(self.selector))
        if self.port is not None:
            _port_of(desired, self.port)["targetPort"] = self.target_port
        return desired

    def inverse(self, live: LiveObject) -> "PatchService":
        selector = None if self.selector is None else dict(live.object["spec"].get("selector") or {})
        if self.port is None:
            return PatchService(target=self.target, selector=selector)
        port = _port_of(live.object, self.port)
        # Kubernetes' own default: the target port is the port.
        target_port = port.get("targetPort", port["port"])
        return PatchService(target=self.target, selector=selector, port=self.port, target_port=target_port)

    def blast_radius(self, live: LiveObject) -> BlastRadius:
        """No pod is replaced, but traffic that arrives today may go elsewhere."""
        return BlastRadius(pods=0, interrupts=True, objects=(self.target,))


def _port_of(service: JsonObject, name_or_number: str) -> dict[str, Any]:
    ports: list[dict[str, Any]] = service["spec"].get("ports") or []
    for port in ports:
        if name_or_number in (port.get("name"), str(port["port"])):
            return port
    known = ", ".join(str(port.get("name") or port["port"]) for port in ports)
    raise PlanStaleError(bounded(f"the Service has no port {name_or_number} (it has {known}). Investigate again."))
