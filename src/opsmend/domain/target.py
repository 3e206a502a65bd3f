"""What a problem is about and what is acted on."""

from enum import StrEnum
from typing import Self

from opsmend.domain.record import Record, StrictRecord


class Kind(StrEnum):
    """Kubernetes kinds that opsmend names, spelled as Kubernetes spells them. GROUP stands for alerts without a target."""

    DEPLOYMENT = "Deployment"
    STATEFUL_SET = "StatefulSet"
    DAEMON_SET = "DaemonSet"
    REPLICA_SET = "ReplicaSet"
    POD = "Pod"
    JOB = "Job"
    CRON_JOB = "CronJob"
    SERVICE = "Service"
    NODE = "Node"
    CONFIG_MAP = "ConfigMap"
    SECRET = "Secret"  # noqa: S105 - a kind, not a credential
    HORIZONTAL_POD_AUTOSCALER = "HorizontalPodAutoscaler"
    RESOURCE_QUOTA = "ResourceQuota"
    NAMESPACE = "Namespace"
    PERSISTENT_VOLUME_CLAIM = "PersistentVolumeClaim"
    GROUP = "Group"


WORKLOAD_KINDS = frozenset({Kind.DEPLOYMENT, Kind.STATEFUL_SET, Kind.DAEMON_SET})
"""Kinds with a pod template and a rollout."""


class ObjectRef(StrictRecord):
    """One object of a cluster. `namespace` is empty for cluster-scoped kinds."""

    kind: Kind
    namespace: str = ""
    name: str

    def __str__(self) -> str:
        place = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {place}{self.name}"


class Target(Record):
    """What an incident is about: an object in a named cluster.

    `pod` keeps the pod that an alert named when the workload was derived from the pod's name, so that the investigation can
    look up the true owner. `node` is the one that the alert says it runs on.
    """

    cluster: str
    kind: Kind
    namespace: str = ""
    name: str
    pod: str | None = None
    node: str | None = None

    @property
    def ref(self) -> ObjectRef:
        return ObjectRef(kind=self.kind, namespace=self.namespace, name=self.name)

    @property
    def incident_id(self) -> str:
        """The workflow id: `incident:<cluster>:<namespace>:<kind>:<name>`, or `incident:group:<digest>` for a group."""
        if self.kind is Kind.GROUP:
            return f"incident:group:{self.name}"
        return f"incident:{self.cluster}:{self.namespace}:{self.kind.lower()}:{self.name}"

    @property
    def below(self) -> "Target | None":
        """The node that it is said to run on, as a target."""
        return Target(cluster=self.cluster, kind=Kind.NODE, name=self.node) if self.node else None

    def __str__(self) -> str:
        return str(self.ref)

    @classmethod
    def of(cls, cluster: str, ref: ObjectRef) -> Self:
        return cls(cluster=cluster, kind=ref.kind, namespace=ref.namespace, name=ref.name)
