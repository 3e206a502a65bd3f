"""The parts of PatchWorkload: each changes one spot of a pod template in place and knows its own way back."""

from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from opsmend.domain.actions.workload_fields import container_of, put_or_drop
from opsmend.domain.record import JsonObject, StrictRecord
from opsmend.errors import PlanStaleError


class ProbeKind(StrEnum):
    LIVENESS = "liveness"
    READINESS = "readiness"
    STARTUP = "startup"


class ProbeChange(StrictRecord):
    """Where a probe knocks. What is None is left as it is; an empty path takes the path away."""

    container: str
    kind: ProbeKind
    port: int | str | None = None
    path: str | None = Field(default=None, max_length=1024)

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.port is None and self.path is None:
            raise ValueError("name a port or a path")
        return self

    def __str__(self) -> str:
        place = [f"port {self.port}"] if self.port is not None else []
        place += [f"path {self.path or '(none)'}"] if self.path is not None else []
        return f"{self.kind} probe of {self.container} asks {' and '.join(place)}"

    def apply_to(self, workload: JsonObject) -> None:
        handler = self._handler(workload)
        if self.port is not None:
            handler["port"] = self.port
        if self.path is not None:
            put_or_drop(handler, "path", self.path)

    def inverse(self, workload: JsonObject) -> "ProbeChange":
        handler = self._handler(workload)
        return ProbeChange(
            container=self.container,
            kind=self.kind,
            port=None if self.port is None else handler["port"],
            path=None if self.path is None else handler.get("path", ""),
        )

    def _handler(self, workload: JsonObject) -> dict[str, Any]:
        probe = container_of(workload, self.container).get(f"{self.kind}Probe") or {}
        # Only an HTTP probe has a path, and a command has no port either.
        for handler in ("httpGet",) if self.path is not None else ("httpGet", "tcpSocket", "grpc"):
            if handler in probe:
                found: dict[str, Any] = probe[handler]
                return found
        raise PlanStaleError(f"container {self.container} has no {self.kind} probe with what is to be changed.")


class EnvironmentChange(StrictRecord):
    """One literal variable, set or (value None) unset. A variable that refers to a Secret, ConfigMap or field is left alone."""

    container: str
    name: str = Field(pattern=r"^[^=\s\x00-\x1f]+$", max_length=256)
    value: str | None = Field(max_length=4096, repr=False)
    index: int | None = Field(default=None, ge=0)
    """Where a variable that is not there yet goes; None is the end. Order counts: `$(NAME)` sees only what stands before it."""

    def __str__(self) -> str:
        return f"{'unset' if self.value is None else 'set'} variable {self.name} of {self.container}"

    def apply_to(self, workload: JsonObject) -> None:
        container = container_of(workload, self.container)
        variables: list[JsonObject] = list(container.get("env") or [])
        at = self._find(variables)
        if at is not None:
            del variables[at]
        if self.value is not None:
            place = next(i for i in (at, self.index, len(variables)) if i is not None)
            # Kubernetes leaves an empty value out.
            variables.insert(place, {"name": self.name, **({"value": self.value} if self.value else {})})
        put_or_drop(container, "env", variables)

    def inverse(self, workload: JsonObject) -> "EnvironmentChange":
        variables = container_of(workload, self.container).get("env") or []
        at = self._find(variables)
        value = None if at is None else variables[at].get("value", "")
        return EnvironmentChange(container=self.container, name=self.name, value=value, index=at)

    def _find(self, variables: list[JsonObject]) -> int | None:
        at = next((i for i, variable in enumerate(variables) if variable["name"] == self.name), None)
        if at is not None and "valueFrom" in variables[at]:
            raise PlanStaleError(f"variable {self.name} of container {self.container} is a reference, not a literal.")
        return at


class ContainerPortChange(StrictRecord):
    """Change the number of the declared port `port` to `to`; name and protocol stay."""

    container: str
    port: int = Field(ge=1, le=65535)
    to: int = Field(ge=1, le=65535)
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"

    def __str__(self) -> str:
        return f"port {self.port} of {self.container} becomes {self.to}"

    def apply_to(self, workload: JsonObject) -> None:
        ports = container_of(workload, self.container).get("ports") or []
        numbers = {port["containerPort"]: port for port in ports if port.get("protocol", "TCP") == self.protocol}
        if self.port in numbers and (self.to == self.port or self.to not in numbers):
            numbers[self.port]["containerPort"] = self.to
        elif self.to not in numbers or self.port in numbers:
            raise PlanStaleError(f"container {self.container} declares {sorted(numbers)}, so {self} cannot be done.")

    def inverse(self, workload: JsonObject) -> "ContainerPortChange":
        ports = container_of(workload, self.container).get("ports") or []
        here = any(p["containerPort"] == self.port and p.get("protocol", "TCP") == self.protocol for p in ports)
        before = self.port if here else self.to
        return ContainerPortChange(container=self.container, port=self.to, to=before, protocol=self.protocol)


class Toleration(StrictRecord):
    """As Kubernetes has it; None leaves a field out."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    key: str | None = None
    operator: Literal["Exists", "Equal", "Lt", "Gt"] | None = None
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: int | None = None

    def __str__(self) -> str:
        return f"{self.key or 'any taint'}{f'={self.value}' if self.value else ''}{f':{self.effect}' if self.effect else ''}"

    def as_json(self) -> JsonObject:
        return self.model_dump(by_alias=True, exclude_none=True)


def tolerations_of(pod_spec: JsonObject) -> tuple[Toleration, ...]:
    """The tolerations of a pod template's spec."""
    return tuple(Toleration.model_validate(toleration) for toleration in pod_spec.get("tolerations") or ())
