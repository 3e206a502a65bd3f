"""Change what one container of a workload may use of memory and CPU."""

from copy import deepcopy
from typing import Any, ClassVar, Final, Literal, Self

from pydantic import model_validator

from opsmend.domain.actions.action import Action, BlastRadius, LiveObject
from opsmend.domain.actions.quantity import Quantity
from opsmend.domain.actions.workload_fields import all_pods_replaced, container_of, put_or_drop
from opsmend.domain.record import JsonObject
from opsmend.domain.target import WORKLOAD_KINDS, Kind

Amount = Literal["memory_request", "memory_limit", "cpu_request", "cpu_limit"]

_PLACES: Final[dict[Amount, tuple[str, str]]] = {
    "memory_request": ("requests", "memory"),
    "memory_limit": ("limits", "memory"),
    "cpu_request": ("requests", "cpu"),
    "cpu_limit": ("limits", "cpu"),
}


class SetResources(Action):
    """An amount that is None is left as it is; one named in `remove` is taken away."""

    kinds: ClassVar[frozenset[Kind]] = WORKLOAD_KINDS

    type: Literal["set_resources"] = "set_resources"
    container: str
    memory_request: Quantity | None = None
    memory_limit: Quantity | None = None
    cpu_request: Quantity | None = None
    cpu_limit: Quantity | None = None
    remove: tuple[Amount | Literal["resources"], ...] = ()
    """`resources` takes away the whole block once nothing is left in it."""

    @model_validator(mode="after")
    def _sets_or_removes(self) -> Self:
        if not self._amounts() and not self.remove:
            raise ValueError("name at least one amount to set or to remove")
        if both := set(self._amounts()) & set(self.remove):
            raise ValueError(f"{', '.join(sorted(both))} cannot be set and removed at once")
        return self

    def _amounts(self) -> dict[Amount, str]:
        return {field: value for field in _PLACES if (value := getattr(self, field)) is not None}

    def summary(self) -> str:
        parts = [f"{field.replace('_', ' ')} {value}" for field, value in self._amounts().items()]
        parts += [f"no {field.replace('_', ' ')}" for field in self.remove if field != "resources"]
        return f"Give container {self.container} of {self.target} {', '.join(parts)}"

    def project(self, live: LiveObject) -> JsonObject:
        desired = deepcopy(live.object)
        container = container_of(desired, self.container)
        resources = container.setdefault("resources", {})
        for field, (group, name) in _PLACES.items():
            if field in self.remove or field in self._amounts():
                amounts = dict(resources.get(group) or {})
                put_or_drop(amounts, name, self._amounts().get(field))
                put_or_drop(resources, group, amounts)
        if "resources" in self.remove:
            put_or_drop(container, "resources", resources)
        return desired

    def inverse(self, live: LiveObject) -> "SetResources":
        container = container_of(live.object, self.container)
        touched = [field for field in _PLACES if field in self._amounts() or field in self.remove]
        before: dict[str, Any] = {field: _amount(container, field) for field in touched}
        absent: list[Amount | Literal["resources"]] = [field for field in touched if before[field] is None]
        if "resources" not in container:
            absent.append("resources")
        return SetResources(target=self.target, container=self.container, remove=tuple(absent), **before)

    def blast_radius(self, live: LiveObject) -> BlastRadius:
        return all_pods_replaced(self.target, live)


def _amount(container: dict[str, Any], field: Amount) -> str | None:
    group, name = _PLACES[field]
    amount = ((container.get("resources") or {}).get(group) or {}).get(name)
    return None if amount is None else str(amount)
