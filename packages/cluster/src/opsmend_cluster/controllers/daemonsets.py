"""DaemonSet → a Pod on every node that takes it."""

from typing import Final

from opsmend_cluster.controllers.owned import active_pods, is_going, is_ready
from opsmend_cluster.controllers.pod_maker import MANAGER, PodMaker
from opsmend_cluster.controllers.revisions import REVISION_HASH, current_revision
from opsmend_cluster.controllers.scheduler import tolerates
from opsmend_cluster.objects.kinds import DAEMON_SETS, NODES, JsonObject
from opsmend_cluster.objects.selectors import labels_of
from opsmend_cluster.writes.registry import Registry

_COMPONENT: Final = "daemonset-controller"
_TOLERATED: Final = ("node.kubernetes.io/unschedulable", "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


class DaemonSets:
    def __init__(self, registry: Registry, pods: PodMaker) -> None:
        self._registry = registry
        self._store = registry.store
        self._pods = pods

    def sync(self, namespace: str) -> float:
        return min((self._sync_one(d) for d in self._store.all(DAEMON_SETS, namespace)), default=float("inf"))

    def _sync_one(self, daemon: JsonObject) -> float:
        pods = active_pods(self._store, daemon)
        revision = current_revision(self._registry, daemon, {labels_of(pod).get(REVISION_HASH, "") for pod in pods})
        revision_hash = revision.rpartition("-")[2]
        nodes = [n["metadata"]["name"] for n in self._store.all(NODES) if _takes(n, daemon["spec"]["template"]["spec"])]
        if not is_going(daemon):
            self._place(daemon, pods, nodes, revision_hash)
            self._update(daemon, pods, revision_hash)
        self._write_status(daemon, nodes, revision_hash)
        return self._pods.retry_at(daemon)

    def _place(self, daemon: JsonObject, pods: list[JsonObject], nodes: list[str], revision: str) -> None:
        covered = {_node_of(pod) for pod in pods}
        for node in nodes:
            if node not in covered:
                self._pods.create(daemon, _COMPONENT, labels={REVISION_HASH: revision}, spec=_pinned(daemon, node))
        for pod in pods:
            if _node_of(pod) not in nodes:
                self._pods.delete(daemon, pod, _COMPONENT)

    def _update(self, daemon: JsonObject, pods: list[JsonObject], revision: str) -> None:
        """One node at a time, and the unready ones first: they lose nothing."""
        if daemon["spec"]["updateStrategy"]["type"] != "RollingUpdate":
            return
        old = sorted((p for p in pods if labels_of(p).get(REVISION_HASH) != revision), key=is_ready)
        if not old:
            return
        if not is_ready(old[0]) or all(map(is_ready, pods)):
            self._pods.delete(daemon, old[0], _COMPONENT)

    def _write_status(self, daemon: JsonObject, nodes: list[str], revision: str) -> None:
        pods = active_pods(self._store, daemon)
        ready = sum(map(is_ready, pods))
        status: JsonObject = {
            "observedGeneration": daemon["metadata"]["generation"], "currentNumberScheduled": len(pods),
            "desiredNumberScheduled": len(nodes), "numberMisscheduled": 0, "numberReady": ready,
        }  # fmt: skip
        counts = {
            "updatedNumberScheduled": sum(labels_of(pod).get(REVISION_HASH) == revision for pod in pods),
            "numberAvailable": ready, "numberUnavailable": len(nodes) - ready,
        }  # fmt: skip
        status |= {key: value for key, value in counts.items() if value}
        self._registry.update_status(DAEMON_SETS, daemon, status, MANAGER)


def _takes(node: JsonObject, spec: JsonObject) -> bool:
    if not (spec.get("nodeSelector") or {}).items() <= labels_of(node).items():
        return False
    taints = node["spec"].get("taints") or []
    return all(t["key"] in _TOLERATED or t["effect"] == "PreferNoSchedule" or tolerates(spec, t) for t in taints)


def _pinned(daemon: JsonObject, node: str) -> JsonObject:
    """As the real controller does: affinity to the one node, and tolerance of what makes nodes unusable for others."""
    wanted = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [wanted]}}
    spec = daemon["spec"]["template"]["spec"]
    extra = [{"key": key, "operator": "Exists"} for key in _TOLERATED]
    return {"affinity": {"nodeAffinity": required}, "tolerations": [*(spec.get("tolerations") or []), *extra]}


def _node_of(pod: JsonObject) -> str:
    affinity = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return str(affinity["nodeSelectorTerms"][0]["matchFields"][0]["values"][0])
