"""Puts a cluster together: store, controllers, kubelets, API."""

from dataclasses import dataclass
from random import Random

from starlette.applications import Starlette

from opsmend_cluster.api.access import Access
from opsmend_cluster.api.admin import Admin
from opsmend_cluster.api.app import build_app
from opsmend_cluster.api.audit import AuditLog
from opsmend_cluster.api.context import Cluster
from opsmend_cluster.api.faults import Faults
from opsmend_cluster.config import ClusterConfig
from opsmend_cluster.controllers.autoscalers import Autoscalers
from opsmend_cluster.controllers.budgets import Budgets
from opsmend_cluster.controllers.daemonsets import DaemonSets
from opsmend_cluster.controllers.deployments import Deployments
from opsmend_cluster.controllers.endpoints import Endpoints, target_port
from opsmend_cluster.controllers.garbage import Garbage
from opsmend_cluster.controllers.jobs import Jobs
from opsmend_cluster.controllers.loop import Controller, ControlLoop
from opsmend_cluster.controllers.nodes import Nodes
from opsmend_cluster.controllers.owned import is_ready
from opsmend_cluster.controllers.pod_maker import PodMaker
from opsmend_cluster.controllers.replicasets import ReplicaSets
from opsmend_cluster.controllers.scheduler import Scheduler
from opsmend_cluster.controllers.statefulsets import StatefulSets
from opsmend_cluster.controllers.volumes import Volumes
from opsmend_cluster.kubelet.kubelet import Kubelet
from opsmend_cluster.kubelet.lifecycle import Lifecycle
from opsmend_cluster.kubelet.pod_status import set_condition
from opsmend_cluster.kubelet.rules import RuleBook
from opsmend_cluster.objects.kinds import (
    LIMIT_RANGES,
    NAMESPACES,
    NODES,
    PODS,
    RESOURCE_QUOTAS,
    SERVICE_ACCOUNTS,
    SERVICES,
)
from opsmend_cluster.objects.selectors import labels_of
from opsmend_cluster.objects.store import Change, Store
from opsmend_cluster.writes.recorder import EventRecorder
from opsmend_cluster.writes.registry import Registry, Writer

_MAY_HAVE_REFUSED = (RESOURCE_QUOTAS, LIMIT_RANGES, SERVICE_ACCOUNTS)


@dataclass(frozen=True)
class World:
    """A cluster that is ready to be served and run."""

    app: Starlette
    loop: ControlLoop
    store: Store


def build_world(config: ClusterConfig) -> World:
    random = Random(config.seed)
    store = Store()
    registry = Registry(store, random)
    events = EventRecorder(store, random)
    names = _Names(store)
    book = RuleBook(config.rules, names.is_down)
    lifecycle = Lifecycle(store, book, events, config.timing, random, names.resolves)
    kubelet = Kubelet(registry, lifecycle)
    names.kubelet = kubelet
    maker = PodMaker(registry, events, config.timing)
    controllers: list[Controller] = [
        Garbage(registry).sync,
        Nodes(registry, events, config.timing).sync,
        Deployments(registry, events, config.timing).sync,
        ReplicaSets(registry, maker).sync,
        StatefulSets(registry, maker).sync,
        DaemonSets(registry, maker).sync,
        Jobs(registry, maker, events).sync,
        Volumes(registry, events).sync,
        Scheduler(registry, events).sync,
        kubelet.sync,
        Endpoints(registry).sync,
        Budgets(registry).sync,
        Autoscalers(registry, kubelet, events, config.timing).sync,
    ]
    loop = ControlLoop(store, controllers, config.timing)
    store.on_change(lambda change: _note(change, kubelet, maker, config.access))
    _furnish(registry, config)
    # Like an API server that was just started: what was before it can be read, not watched.
    store.compact()
    audit, faults = AuditLog(), Faults()
    admin = Admin(registry, audit, faults, book, loop.touch_all)
    cluster = Cluster(store, registry, kubelet, config.access)
    return World(build_app(cluster, audit, faults, admin), loop, store)


def _note(change: Change, kubelet: Kubelet, maker: PodMaker, access: Access) -> None:
    if change.resource is SERVICE_ACCOUNTS and change.type == "DELETED":
        access.revoke(change.object["metadata"]["namespace"], change.object["metadata"]["name"])
    if change.resource is PODS and change.type == "DELETED":
        kubelet.forget(change.object["metadata"]["uid"])
    if change.resource in _MAY_HAVE_REFUSED:
        maker.retry_now()


class _Names:
    """Cluster DNS, and who stands behind a name."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.kubelet: Kubelet | None = None

    def resolves(self, namespace: str, host: str) -> bool:
        name, _, rest = host.partition(".")
        where = rest.partition(".")[0] or namespace
        return host == "localhost" or self._store.get(SERVICES, where, name) is not None

    def is_down(self, namespace: str, name: str) -> bool:
        """Whether no ready pod listens where the Service leads."""
        service = self._store.get(SERVICES, namespace, name)
        if service is None or not service["spec"].get("selector"):
            return service is None
        selector = service["spec"]["selector"].items()
        pods = [p for p in self._store.all(PODS, namespace) if selector <= labels_of(p).items() and is_ready(p)]
        return not any(
            self._answers(pod, target_port(port, pod)) for pod in pods for port in service["spec"].get("ports") or []
        )

    def _answers(self, pod: dict[str, object], port: int | None) -> bool:
        return port is not None and self.kubelet is not None and self.kubelet.listens(pod, port)


def _furnish(registry: Registry, config: ClusterConfig) -> None:
    writer = Writer("kube-apiserver")
    for name in ("default", "kube-system"):
        registry.create(NAMESPACES, "", {"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}}, writer)
    for i, name in enumerate(config.nodes, start=1):
        labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
        node = registry.create(NODES, "", {"metadata": {"name": name, "labels": labels}}, Writer("kubelet"))
        registry.update_status(NODES, node, _node_status(name, i, config.node_capacity), "kubelet")


def _node_status(name: str, number: int, capacity: dict[str, str]) -> dict[str, object]:
    return {
        "capacity": dict(capacity), "allocatable": dict(capacity), "conditions": _node_conditions(),
        "addresses": [{"type": "InternalIP", "address": f"10.0.0.{number}"}, {"type": "Hostname", "address": name}],
        "nodeInfo": {
            "kubeletVersion": "v1.31.0", "kubeProxyVersion": "v1.31.0", "containerRuntimeVersion": "containerd://1.7.20",
            "osImage": "opsmend embedded", "kernelVersion": "6.1.0", "architecture": "amd64", "operatingSystem": "linux",
            "machineID": "", "systemUUID": "", "bootID": "",
        },
    }  # fmt: skip


def _node_conditions() -> list[dict[str, str]]:
    pressures = (("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
                 ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                 ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"))  # fmt: skip
    conditions: list[dict[str, str]] = []
    for kind, reason, message in pressures:
        conditions = set_condition(conditions, kind, "False", reason, message)
    return set_condition(conditions, "Ready", "True", "KubeletReady", "kubelet is posting ready status")
