"""The resources that this cluster serves, with what discovery says of them."""

from dataclasses import dataclass
from typing import Any, Final

JsonObject = dict[str, Any]

ALL_VERBS: Final = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, eq=False)
class Resource:
    """A kind as the API names it. `group` is empty for the core group. Compared by identity: one instance each, below."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """`deployments.apps`, `pods`: how error messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def group_kind(self) -> str:
        """`Deployment.apps`, `Pod`: how Invalid errors name it."""
        return f"{self.kind}.{self.group}" if self.group else self.kind


def _core(plural: str, kind: str, short: tuple[str, ...] = (), **more: Any) -> Resource:
    return Resource("", "v1", plural, kind, short_names=short, **more)


def _apps(plural: str, kind: str, short: tuple[str, ...] = (), sub: tuple[str, ...] = ("status", "scale")) -> Resource:
    categories = ("all",) if sub else ()
    return Resource("apps", "v1", plural, kind, short_names=short, subresources=sub, categories=categories)


NAMESPACES: Final = _core("namespaces", "Namespace", ("ns",), namespaced=False, subresources=("status",))
PODS: Final = _core("pods", "Pod", ("po",), subresources=("status", "log", "eviction"), categories=("all",))
SERVICES: Final = _core("services", "Service", ("svc",), subresources=("status",), categories=("all",))
ENDPOINTS: Final = _core("endpoints", "Endpoints", ("ep",))
CONFIGMAPS: Final = _core("configmaps", "ConfigMap", ("cm",))
SECRETS: Final = _core("secrets", "Secret")
EVENTS: Final = _core("events", "Event", ("ev",))
NODES: Final = _core("nodes", "Node", ("no",), namespaced=False, subresources=("status",))
RESOURCE_QUOTAS: Final = _core("resourcequotas", "ResourceQuota", ("quota",), subresources=("status",))
LIMIT_RANGES: Final = _core("limitranges", "LimitRange", ("limits",))
SERVICE_ACCOUNTS: Final = _core("serviceaccounts", "ServiceAccount", ("sa",), subresources=("token",))
REPLICATION_CONTROLLERS: Final = _core(
    "replicationcontrollers", "ReplicationController", ("rc",), verbs=("get", "list", "watch")
)
DEPLOYMENTS: Final = _apps("deployments", "Deployment", ("deploy",))
REPLICA_SETS: Final = _apps("replicasets", "ReplicaSet", ("rs",))
STATEFUL_SETS: Final = _apps("statefulsets", "StatefulSet", ("sts",))
DAEMON_SETS: Final = _apps("daemonsets", "DaemonSet", ("ds",), sub=("status",))
CONTROLLER_REVISIONS: Final = _apps("controllerrevisions", "ControllerRevision", sub=())
JOBS: Final = Resource("batch", "v1", "jobs", "Job", subresources=("status",), categories=("all",))
CRON_JOBS: Final = Resource(
    "batch", "v1", "cronjobs", "CronJob", short_names=("cj",), subresources=("status",), categories=("all",)
)
AUTOSCALERS: Final = Resource(
    "autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", short_names=("hpa",), subresources=("status",)
)
DISRUPTION_BUDGETS: Final = Resource(
    "policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", short_names=("pdb",), subresources=("status",)
)
ENDPOINT_SLICES: Final = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
CLAIMS: Final = _core("persistentvolumeclaims", "PersistentVolumeClaim", ("pvc",), subresources=("status",))
VOLUMES: Final = _core("persistentvolumes", "PersistentVolume", ("pv",), namespaced=False, subresources=("status",))
STORAGE_CLASSES: Final = Resource(
    "storage.k8s.io", "v1", "storageclasses", "StorageClass", namespaced=False, short_names=("sc",)
)
POD_METRICS: Final = Resource("metrics.k8s.io", "v1beta1", "pods", "PodMetrics", verbs=("get", "list"))
"""Reckoned when it is asked for, never stored."""
LEASES: Final = Resource("coordination.k8s.io", "v1", "leases", "Lease")
ACCESS_REVIEWS: Final = Resource(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False, verbs=("create",)
)

RESOURCES: Final = (
    NAMESPACES, PODS, SERVICES, ENDPOINTS, CONFIGMAPS, SECRETS, EVENTS, NODES, RESOURCE_QUOTAS, LIMIT_RANGES,
    SERVICE_ACCOUNTS, REPLICATION_CONTROLLERS, DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, DAEMON_SETS, CONTROLLER_REVISIONS,
    JOBS, CRON_JOBS, AUTOSCALERS, DISRUPTION_BUDGETS, ENDPOINT_SLICES, LEASES, ACCESS_REVIEWS, CLAIMS, VOLUMES,
    STORAGE_CLASSES, POD_METRICS,
)  # fmt: skip
"""Every resource. What is not here answers 501."""

LACKING: Final = frozenset({
    "admissionregistration.k8s.io/v1", "apiextensions.k8s.io/v1", "apiregistration.k8s.io/v1", "authentication.k8s.io/v1",
    "autoscaling/v1", "certificates.k8s.io/v1", "events.k8s.io/v1", "flowcontrol.apiserver.k8s.io/v1", "networking.k8s.io/v1",
    "node.k8s.io/v1", "rbac.authorization.k8s.io/v1", "scheduling.k8s.io/v1",
})  # fmt: skip
"""Groups and versions that every Kubernetes serves and this one does not. Others are not there on a real one either."""


def is_known(group: str) -> bool:
    """Whether a real cluster of this release knows the group, in whatever version."""
    return not group or any(r.group == group for r in RESOURCES) or any(v.startswith(f"{group}/") for v in LACKING)


BY_PATH: Final = {(r.group, r.version, r.plural): r for r in RESOURCES}


def resource_of_kind(api_version: str, kind: str) -> Resource | None:
    """The resource that an owner reference or a manifest names; None for a kind that is not served."""
    return next((r for r in RESOURCES if r.api_version == api_version and r.kind == kind), None)
