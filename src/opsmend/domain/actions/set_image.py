"""Run another image in one container of a workload."""

from copy import deepcopy
from typing import ClassVar, Literal

from pydantic import Field

from opsmend.domain.actions.action import Action, BlastRadius, LiveObject
from opsmend.domain.actions.workload_fields import all_pods_replaced, container_of
from opsmend.domain.record import JsonObject
from opsmend.domain.target import WORKLOAD_KINDS, Kind


class SetImage(Action):
    kinds: ClassVar[frozenset[Kind]] = WORKLOAD_KINDS

    type: Literal["set_image"] = "set_image"
    container: str
    image: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$", max_length=512)
    """An image reference with tag or digest. The characters are those that a reference can have, nothing of a shell's."""

    def summary(self) -> str:
        return f"Set the image of container {self.container} of {self.target} to {self.image}"

    def project(self, live: LiveObject) -> JsonObject:
        desired = deepcopy(live.object)
        container_of(desired, self.container)["image"] = self.image
        return desired

    def inverse(self, live: LiveObject) -> "SetImage":
        return SetImage(target=self.target, container=self.container, image=container_of(live.object, self.container)["image"])

    def blast_radius(self, live: LiveObject) -> BlastRadius:
        return all_pods_replaced(self.target, live)
