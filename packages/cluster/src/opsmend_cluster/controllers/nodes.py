"""Nodes that stop answering: taints, pods no longer ready, eviction after the tolerated time."""

import time
from typing import Final

from opsmend_cluster.kubelet.pod_status import set_condition
from opsmend_cluster.objects.clock import timestamp
from opsmend_cluster.objects.kinds import NODES, PODS, JsonObject
from opsmend_cluster.timing import Timing
from opsmend_cluster.writes.deletion import delete
from opsmend_cluster.writes.recorder import EventRecorder
from opsmend_cluster.writes.registry import Registry

_UNREACHABLE: Final = "node.kubernetes.io/unreachable"
_NOT_READY: Final = "node.kubernetes.io/not-ready"
_UNSCHEDULABLE: Final = "node.kubernetes.io/unschedulable"
_OWN_TAINTS: Final = (_UNREACHABLE, _NOT_READY, _UNSCHEDULABLE)
_MANAGER: Final = "kube-controller-manager"


class Nodes:
    def __init__(self, registry: Registry, events: EventRecorder, timing: Timing) -> None:
        self._registry = registry
        self._store = registry.store
        self._events = events
        self._timing = timing
        self._down_since: dict[str, float] = {}

    def sync(self, namespace: str) -> float:
        now = time.monotonic()
        for node in self._store.all(NODES):
            self._taint(node, now)
        wakes = [self._pod_on(pod, now) for pod in self._store.all(PODS, namespace)]
        return min(wakes, default=float("inf"))

    def _taint(self, node: JsonObject, now: float) -> None:
        name, status = node["metadata"]["name"], ready_status(node)
        if status == "True":
            self._down_since.pop(name, None)
        elif name not in self._down_since:
            self._down_since[name] = now
            self._events.normal(node, "NodeNotReady", f"Node {name} status is now: NodeNotReady", "node-controller")
        taints = node["spec"].get("taints") or []
        wanted = [t for t in taints if t["key"] not in _OWN_TAINTS]
        if node["spec"].get("unschedulable"):
            wanted.append({"key": _UNSCHEDULABLE, "effect": "NoSchedule"})
        if status != "True":
            key = _UNREACHABLE if status == "Unknown" else _NOT_READY
            wanted += [{"key": key, "effect": "NoSchedule"}, {"key": key, "effect": "NoExecute"}]
        if _keys(wanted) != _keys(taints):
            known = {(t["key"], t["effect"]): t for t in taints}
            stamped = [known.get((t["key"], t["effect"]), {**t, "timeAdded": timestamp()}) for t in wanted]
            spec = {key: value for key, value in node["spec"].items() if key != "taints"}
            tainted = {**node, "metadata": dict(node["metadata"]), "spec": {**spec, **({"taints": stamped} if stamped else {})}}
            self._store.put(NODES, tainted)

    def _pod_on(self, pod: JsonObject, now: float) -> float:
        name = pod["spec"].get("nodeName", "")
        since = self._down_since.get(name)
        if since is None or "deletionTimestamp" in pod["metadata"]:
            return float("inf")
        self._mark_unready(pod)
        node = self._store.get(NODES, "", name) or {"status": {}}
        key = _UNREACHABLE if ready_status(node) == "Unknown" else _NOT_READY
        seconds = _tolerated_seconds(pod["spec"], key)
        if seconds is None:
            return float("inf")
        evicted_at = since + self._timing.real(seconds)
        if now < evicted_at:
            return evicted_at
        self._events.normal(pod, "TaintManagerEviction", f"Marking for deletion Pod {pod['metadata']['namespace']}/"
                            f"{pod['metadata']['name']}", "taint-eviction-controller")  # fmt: skip
        delete(self._store, PODS, pod, {})
        return float("inf")

    def _mark_unready(self, pod: JsonObject) -> None:
        """Only Ready changes: the containers' own status is what the kubelet last wrote."""
        conditions = pod["status"].get("conditions") or []
        if any(c["type"] == "Ready" and c["status"] == "True" for c in conditions):
            status = {**pod["status"], "conditions": set_condition(conditions, "Ready", "False")}
            self._registry.update_status(PODS, pod, status, _MANAGER)
            self._events.warning(pod, "NodeNotReady", "Node is not ready", "node-controller")


def ready_status(node: JsonObject) -> str:
    """True, False or Unknown."""
    conditions = node["status"].get("conditions") or []
    return next((str(c["status"]) for c in conditions if c["type"] == "Ready"), "Unknown")


def node_status(node: JsonObject, *, ready: bool) -> JsonObject:
    """The status of `node` with its kubelet answering, or silent."""
    conditions = node["status"].get("conditions") or []
    if ready:
        answers = set_condition(conditions, "Ready", "True", "KubeletReady", "kubelet is posting ready status")
    else:
        answers = set_condition(conditions, "Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
    return {**node["status"], "conditions": answers}


def _keys(taints: list[JsonObject]) -> set[tuple[str, str, str]]:
    return {(t["key"], t.get("value", ""), t["effect"]) for t in taints}


def _tolerated_seconds(spec: JsonObject, key: str) -> float | None:
    """How long the pod may stay on such a node; None: for ever."""
    for toleration in spec.get("tolerations") or []:
        if toleration.get("key") in (key, None, "") and toleration.get("effect") in ("NoExecute", None, ""):
            seconds = toleration.get("tolerationSeconds")
            return None if seconds is None else float(seconds)
    return 0.0
