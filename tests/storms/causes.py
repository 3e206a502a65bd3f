"""The causes from which a hundred targets suffer at once: how each comes about and how it ends."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final, Protocol

from opsmend.domain.shared_cause import CauseKind
from tests.integration.outside.cluster import GOOD, Cluster, deployment_path
from tests.integration.outside.waiting import eventually

Json = dict[str, Any]
Answer = Callable[[], Awaitable[None]]
"""Approves the one plan against the cause."""

NAMESPACE: Final = "shop"
LOST_NODE: Final = "node-a"
OTHER_NODE: Final = "node-b"
SETTINGS: Final = f"/api/v1/namespaces/{NAMESPACE}/configmaps/settings"

_CALLS_ORDERS: Final[Json] = {"env": [{"name": "ORDERS_URL", "value": "http://orders:8080"}]}


class Cause(Protocol):
    """How it comes about, and how it ends."""

    @property
    def name(self) -> str:
        """Of the case."""

    @property
    def kind(self) -> CauseKind:
        """Under a cause of this kind the incidents must be grouped."""

    @property
    def own(self) -> Json:
        """Labels of the alert about the cause itself; empty where there is none."""

    async def prepare(self, cluster: Cluster) -> None:
        """Before the targets are deployed."""

    @property
    def target(self) -> tuple[Json, Json]:
        """What a target has of its own: fields of its pod and of its container."""

    async def strike(self, cluster: Cluster) -> None:
        """From now on all targets suffer."""

    async def end(self, cluster: Cluster, say_yes: Answer) -> None:
        """People mend it, or say yes to the one question."""


_RECREATE: Final[Json] = {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}


async def _deploy_name_server(cluster: Cluster) -> None:
    await cluster.deploy("kube-system", name="coredns")
    await cluster.patch(deployment_path("kube-system", "coredns"), _RECREATE)
    service = {
        "metadata": {"name": "kube-dns"},
        "spec": {"selector": {"app": "coredns"}, "ports": [{"port": 53, "targetPort": "http"}]},
    }
    await cluster.create("/api/v1/namespaces/kube-system/services", service)


async def _next_second() -> None:
    """Kubernetes' times have whole seconds. An edit within the second in which its readers were made looks as old as they."""
    began = datetime.now(UTC)

    async def over() -> bool | None:
        return True if datetime.now(UTC) > began + timedelta(seconds=2) else None

    await eventually(over, "the next second")


async def _replace_pods(cluster: Cluster) -> None:
    """Those of the targets: what they read at their start is read anew."""
    pods = f"/api/v1/namespaces/{NAMESPACE}/pods"
    (await cluster.http.delete(pods, params={"labelSelector": "role=target"})).raise_for_status()


class RegistryAway:
    """Pods that are made anew find no image."""

    name = "registry"
    kind = CauseKind.REGISTRY
    own: ClassVar[Json] = {}

    async def prepare(self, cluster: Cluster) -> None:
        """There is nothing to prepare."""

    @property
    def target(self) -> tuple[Json, Json]:
        return {}, {"image": "images.example/team/app:1.0"}

    async def strike(self, cluster: Cluster) -> None:
        pull = {"effect": "pull_fails", "cause": "unreachable"}
        await cluster.add_rule({"name": "registry away", "when": {"image": "^images.example/"}, "then": pull})
        await _replace_pods(cluster)

    async def end(self, cluster: Cluster, say_yes: Answer) -> None:
        (await cluster.http.delete("/opsmend-demo/rules/registry away")).raise_for_status()


class NamesUnresolved:
    """The cluster's name server is down. A Service that serves is not found by its name."""

    name = "name-resolution"
    kind = CauseKind.NAME_RESOLUTION
    own: ClassVar[Json] = {"alertname": "CoreDNSDown", "namespace": "kube-system", "deployment": "coredns"}

    async def prepare(self, cluster: Cluster) -> None:
        await cluster.deploy(NAMESPACE, name="orders")
        await _deploy_name_server(cluster)

    @property
    def target(self) -> tuple[Json, Json]:
        return {}, _CALLS_ORDERS

    async def strike(self, cluster: Cluster) -> None:
        await cluster.break_image("kube-system", "coredns")
        log = ["2026/03/14 15:00:01 dial tcp: lookup orders on 10.96.0.10:53: server misbehaving"]
        when = {"env": [{"name": "ORDERS_URL", "value": "orders"}]}
        await cluster.add_rule({"name": "no names", "when": when, "then": {"effect": "exits", "code": 1, "log": log}})
        await _replace_pods(cluster)

    async def end(self, cluster: Cluster, say_yes: Answer) -> None:
        await cluster.patch_container("kube-system", {"image": GOOD}, "coredns")
        (await cluster.http.delete("/opsmend-demo/rules/no names")).raise_for_status()


class DependencyDown:
    """A bad release of what all call. Its own incident has the fix."""

    name = "dependency"
    kind = CauseKind.DEPENDENCY
    own: ClassVar[Json] = {"alertname": "KubeDeploymentReplicasMismatch", "namespace": NAMESPACE, "deployment": "orders"}

    async def prepare(self, cluster: Cluster) -> None:
        await cluster.deploy(NAMESPACE, name="orders")
        # A bad release leaves no old pod behind.
        await cluster.patch(deployment_path(NAMESPACE, "orders"), _RECREATE)

    @property
    def target(self) -> tuple[Json, Json]:
        return {}, _CALLS_ORDERS

    async def strike(self, cluster: Cluster) -> None:
        log = ['panic: Get "http://orders:8080/v1": dial tcp 10.96.0.9:8080: connect: connection refused']
        when = {"service_down": "orders", "env": [{"name": "ORDERS_URL", "value": "orders"}]}
        await cluster.add_rule({"name": "needs orders", "when": when, "then": {"effect": "exits", "code": 2, "log": log}})
        await cluster.break_image(NAMESPACE, "orders")
        await _replace_pods(cluster)

    async def end(self, cluster: Cluster, say_yes: Answer) -> None:
        await say_yes()
        await cluster.until_ready(NAMESPACE, "orders")


class SharedConfigMap:
    """Somebody edits a ConfigMap that all read."""

    name = "config-map"
    kind = CauseKind.CONFIG_MAP
    own: ClassVar[Json] = {}

    async def prepare(self, cluster: Cluster) -> None:
        settings = {"metadata": {"name": "settings"}, "data": {"config.yaml": "pool: 10\n"}}
        await cluster.create(f"/api/v1/namespaces/{NAMESPACE}/configmaps", settings)

    @property
    def target(self) -> tuple[Json, Json]:
        volumes = [{"name": "settings", "configMap": {"name": "settings"}}]
        return {"volumes": volumes}, {"volumeMounts": [{"name": "settings", "mountPath": "/etc/app"}]}

    async def strike(self, cluster: Cluster) -> None:
        log = [
            "yaml.scanner.ScannerError: mapping values are not allowed here",
            '  in "/etc/app/config.yaml", line 1, column 9',
        ]
        when = {"files": [{"path": "^/etc/app/config.yaml$", "content": "pool: size: 10"}]}
        await cluster.add_rule({"name": "bad settings", "when": when, "then": {"effect": "exits", "code": 1, "log": log}})
        await _next_second()
        await cluster.patch(SETTINGS, {"data": {"config.yaml": "pool: size: 10\n"}})
        await _replace_pods(cluster)

    async def end(self, cluster: Cluster, say_yes: Answer) -> None:
        await cluster.patch(SETTINGS, {"data": {"config.yaml": "pool: 10\n"}})


class NodeLost:
    """A node stops answering with all targets on it. Their pods stay: they keep state there."""

    name = "node"
    kind = CauseKind.NODE
    own: ClassVar[Json] = {"alertname": "KubeNodeNotReady", "node": LOST_NODE}

    async def prepare(self, cluster: Cluster) -> None:
        """There is nothing to prepare."""

    @property
    def target(self) -> tuple[Json, Json]:
        return on_node(LOST_NODE), {}

    async def strike(self, cluster: Cluster) -> None:
        (await cluster.http.put(f"/opsmend-demo/nodes/{LOST_NODE}", json={"ready": False})).raise_for_status()

    async def end(self, cluster: Cluster, say_yes: Answer) -> None:
        (await cluster.http.put(f"/opsmend-demo/nodes/{LOST_NODE}", json={"ready": True})).raise_for_status()


def on_node(name: str) -> Json:
    """Fields of a pod that stays on this node, whatever happens to it."""
    return {"nodeSelector": {"kubernetes.io/hostname": name}, "tolerations": [{"operator": "Exists"}]}


CAUSES: Final[tuple[Cause, ...]] = (NodeLost(), RegistryAway(), NamesUnresolved(), DependencyDown(), SharedConfigMap())
