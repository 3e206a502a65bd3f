"""The namespaces whose configuration is kept while it is good, as far as keeping it needs them."""

from typing import Protocol

from pydantic import AwareDatetime, Field

from opsmend.domain.record import Record
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.target import ObjectRef


class NamespaceSeen(Record):
    """The workloads of a namespace, a snapshot each: the workload, its pods, and by name the ConfigMaps that it reads."""

    workloads: tuple[Snapshot, ...]
    unseen: tuple[str, ...] = ()
    api_calls: int = 0


class ConfigMapSeen(Record):
    """A ConfigMap as it stands. Unredacted: never store it, and never put it into workflow history."""

    ref: ObjectRef
    uid: str
    resource_version: str = ""
    data: dict[str, str] = Field(default_factory=dict, repr=False)
    binary_keys: tuple[str, ...] = ()
    written_at: AwareDatetime | None = None
    """Newest dated write of its data. Kubernetes dates no removal of a key."""
    written_by: str = ""


class Namespaces(Protocol):
    """Reads only. Every method may raise ClusterUnavailableError, ClusterForbiddenError, OtherClusterError."""

    async def workloads(self, cluster: str, namespace: str) -> NamespaceSeen:
        """Every Deployment, StatefulSet and DaemonSet with its pods: enough to judge whether it is well."""
        ...

    async def config_map(self, cluster: str, ref: ObjectRef) -> ConfigMapSeen:
        """As it stands now.

        Raises:
            TargetGoneError: it does not exist.
        """
        ...
