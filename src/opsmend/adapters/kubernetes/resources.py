"""Where the API keeps each kind."""

import re
from dataclasses import dataclass
from typing import Final

from opsmend.domain.target import Kind, ObjectRef
from opsmend.errors import TargetGoneError, bounded


@dataclass(frozen=True)
class Resource:
    """`group` is empty for the core API."""

    group: str
    version: str
    plural: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """As kubectl and RBAC messages say it: `replicasets.apps`, `pods`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def root(self) -> str:
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"


RESOURCES: Final[dict[Kind, Resource]] = {
    Kind.DEPLOYMENT: Resource("apps", "v1", "deployments"),
    Kind.STATEFUL_SET: Resource("apps", "v1", "statefulsets"),
    Kind.DAEMON_SET: Resource("apps", "v1", "daemonsets"),
    Kind.REPLICA_SET: Resource("apps", "v1", "replicasets"),
    Kind.POD: Resource("", "v1", "pods"),
    Kind.JOB: Resource("batch", "v1", "jobs"),
    Kind.CRON_JOB: Resource("batch", "v1", "cronjobs"),
    Kind.SERVICE: Resource("", "v1", "services"),
    Kind.NODE: Resource("", "v1", "nodes", namespaced=False),
    Kind.CONFIG_MAP: Resource("", "v1", "configmaps"),
    Kind.SECRET: Resource("", "v1", "secrets"),
    Kind.HORIZONTAL_POD_AUTOSCALER: Resource("autoscaling", "v2", "horizontalpodautoscalers"),
    Kind.RESOURCE_QUOTA: Resource("", "v1", "resourcequotas"),
    Kind.NAMESPACE: Resource("", "v1", "namespaces", namespaced=False),
    Kind.PERSISTENT_VOLUME_CLAIM: Resource("", "v1", "persistentvolumeclaims"),
}
"""Every kind that can be read; Kind.GROUP is none of Kubernetes'."""

EVENTS: Final = Resource("", "v1", "events")
CONTROLLER_REVISIONS: Final = Resource("apps", "v1", "controllerrevisions")
SERVICE_ACCOUNTS: Final = Resource("", "v1", "serviceaccounts")
POD_METRICS: Final = Resource("metrics.k8s.io", "v1beta1", "pods")
STORAGE_CLASSES: Final = Resource("storage.k8s.io", "v1", "storageclasses", namespaced=False)
VOLUMES: Final = Resource("", "v1", "persistentvolumes", namespaced=False)
ENDPOINT_SLICES: Final = Resource("discovery.k8s.io", "v1", "endpointslices")

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""A DNS subdomain (RFC 1123), which all names of these kinds are."""


def path_of(ref: ObjectRef) -> str:
    """The path of one object.

    Raises:
        TargetGoneError: nothing in Kubernetes can have this name, kind or namespace. They come from alerts: one with `/` or
            `..` in it would otherwise name another path.
    """
    resource = RESOURCES.get(ref.kind)
    if resource is None or not _NAME.fullmatch(ref.name):
        raise TargetGoneError(bounded(f"No {ref.kind} can be called {ref.name!r}.", 200))
    return f"{collection_path(resource, ref.namespace)}/{ref.name}"


def collection_path(resource: Resource, namespace: str) -> str:
    """The path of all objects of a kind in a namespace, or of the whole cluster where the namespace is empty.

    Raises:
        TargetGoneError: nothing in Kubernetes can have this namespace.
    """
    if not resource.namespaced or not namespace:
        return f"{resource.root}/{resource.plural}"
    if not _NAME.fullmatch(namespace):
        raise TargetGoneError(bounded(f"No namespace can be called {namespace!r}.", 200))
    return f"{resource.root}/namespaces/{namespace}/{resource.plural}"
