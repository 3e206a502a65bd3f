"""A cause from which many targets suffer at once: their incidents are grouped under it."""

from enum import StrEnum
from typing import Final, Self

from pydantic import AwareDatetime

from opsmend.domain.alert import Severity
from opsmend.domain.record import Record
from opsmend.domain.target import ObjectRef


class CauseKind(StrEnum):
    """In the order in which they explain each other: what has no name cannot be called either."""

    NODE = "node"
    REGISTRY = "registry"
    NAME_RESOLUTION = "name_resolution"
    DEPENDENCY = "dependency"
    CONFIG_MAP = "config_map"


class SharedCause(Record):
    """Two incidents have the same cause if these are equal and they are of one cluster."""

    kind: CauseKind
    name: str
    """Of a registry its host, of an object of the cluster its text: `Service shop/redis`."""
    ref: ObjectRef | None = None
    """The object, where it is one."""

    @classmethod
    def of(cls, kind: CauseKind, ref: ObjectRef) -> Self:
        return cls(kind=kind, name=str(ref), ref=ref)

    def __str__(self) -> str:
        match self.kind:
            case CauseKind.REGISTRY:
                return f"registry {self.name}"
            case CauseKind.NAME_RESOLUTION:
                return "name resolution in the cluster"
            case _:
                return self.name

    def workflow_id(self, cluster: str) -> str:
        """Of the workflow that stands for it while an incident sees to it."""
        return f"cause:{cluster}:{self.kind}:{self.name}"


NAME_RESOLUTION: Final = SharedCause(kind=CauseKind.NAME_RESOLUTION, name="the cluster's name server")
"""There is one in each cluster."""

NAME_SERVER: Final = "Service kube-system/kube-dns"
"""CoreDNS keeps the name of its forerunner: https://kubernetes.io/docs/tasks/administer-cluster/coredns/."""


class CauseJoined(Record):
    """An incident that suffers from it as well."""

    incident_id: str
    severity: Severity


class KnownCause(Record):
    """A cause that an incident sees to, and those that wait for it."""

    cause: SharedCause
    cluster: str
    holder: str
    """The incident's id."""
    since: AwareDatetime
    severity: Severity
    """The gravest that people were called for."""
    members: tuple[CauseJoined, ...] = ()


class CauseHeld(Record):
    """To a member: who sees to it. `call`: it is graver than all that people were called for so far."""

    cause: SharedCause
    holder: str
    call: bool


class CauseOver(Record):
    """To a member: look again."""

    cause: SharedCause


class CauseShared(Record):
    """To the holder: how many others suffer from it."""

    cause: SharedCause
    members: int
