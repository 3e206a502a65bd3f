"""Set or remove one key of a ConfigMap."""

from copy import deepcopy
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, Field

from opsmend.domain.actions.action import IN_THE_DIFF, Action, BlastRadius, LiveObject
from opsmend.domain.actions.workload_fields import put_or_drop
from opsmend.domain.record import JsonObject
from opsmend.domain.target import Kind
from opsmend.errors import HumanNeededError, PlanStaleError

VALUE_LIMIT: Final = 65_536
"""Bytes of a value. A plan holds each value twice and travels through every step of an incident, most of it by reference."""


def _small_enough(value: str) -> str:
    if len(value.encode()) > VALUE_LIMIT:
        raise ValueError(f"the value has more than {VALUE_LIMIT} bytes")
    return value


ConfigValue = Annotated[str, AfterValidator(_small_enough)]


class PatchConfig(Action):
    """The whole value is part of the action, so that the approved hash covers it. Do not use it for what is secret.

    Containers see a mounted key within about a minute, and one read into their environment only after a restart.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.CONFIG_MAP})

    type: Literal["patch_config"] = "patch_config"
    key: str = Field(pattern=r"^[-._a-zA-Z0-9]+$", max_length=253)
    value: ConfigValue | None = Field(repr=False)
    """None removes the key."""

    def summary(self) -> str:
        if self.value is None:
            return f"Remove key {self.key} from {self.target}"
        return f"Set key {self.key} of {self.target} ({len(self.value.splitlines())} lines)"

    def parameters(self) -> JsonObject:
        return {"key": self.key, "value": None if self.value is None else IN_THE_DIFF}

    def project(self, live: LiveObject) -> JsonObject:
        if live.object.get("immutable"):
            raise PlanStaleError(f"{self.target} is immutable; a new one has to take its place.")
        if self.key in (live.object.get("binaryData") or {}):
            raise PlanStaleError(f"key {self.key} of {self.target} holds binary data.")
        desired = deepcopy(live.object)
        data = dict(desired.get("data") or {})
        # An empty value is a value: a mounted key is then an empty file. So no put_or_drop for the key itself.
        if self.value is None:
            data.pop(self.key, None)
        else:
            data[self.key] = self.value
        put_or_drop(desired, "data", data)
        return desired

    def inverse(self, live: LiveObject) -> "PatchConfig":
        before = (live.object.get("data") or {}).get(self.key)
        if before is not None and len(before.encode()) > VALUE_LIMIT:
            raise HumanNeededError(
                f"key {self.key} of {self.target} has {len(before.encode())} bytes, more than the {VALUE_LIMIT} "
                "that a way back may carry. A person has to change it."
            )
        return PatchConfig(target=self.target, key=self.key, value=before)

    def blast_radius(self, live: LiveObject) -> BlastRadius:
        """No pod is replaced; which pods read the ConfigMap cannot be told from the ConfigMap."""
        return BlastRadius(pods=0, interrupts=False, objects=(self.target,))
