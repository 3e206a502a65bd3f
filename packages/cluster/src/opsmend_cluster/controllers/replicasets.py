"""ReplicaSet → Pods."""

from typing import Final

from opsmend_cluster.controllers.owned import active_pods, deletion_rank, is_going, is_ready
from opsmend_cluster.controllers.pod_maker import MANAGER, PodMaker
from opsmend_cluster.kubelet.pod_status import set_condition
from opsmend_cluster.objects.kinds import REPLICA_SETS, JsonObject
from opsmend_cluster.writes.registry import Registry

_COMPONENT: Final = "replicaset-controller"


class ReplicaSets:
    def __init__(self, registry: Registry, pods: PodMaker) -> None:
        self._registry = registry
        self._store = registry.store
        self._pods = pods

    def sync(self, namespace: str) -> float:
        return min((self._sync_one(rs) for rs in self._store.all(REPLICA_SETS, namespace)), default=float("inf"))

    def _sync_one(self, rs: JsonObject) -> float:
        if not is_going(rs):
            self._match_count(rs)
        pods = active_pods(self._store, rs)
        ready = sum(map(is_ready, pods))
        status: JsonObject = {"replicas": len(pods), "observedGeneration": rs["metadata"]["generation"]}
        if pods:
            status["fullyLabeledReplicas"] = len(pods)
        if ready:
            status["readyReplicas"] = status["availableReplicas"] = ready
        refusal = self._pods.refusal(rs)
        if refusal:
            status["conditions"] = set_condition(
                rs["status"].get("conditions") or [], "ReplicaFailure", "True", "FailedCreate", refusal
            )
        self._registry.update_status(REPLICA_SETS, rs, status, MANAGER)
        return self._pods.retry_at(rs)

    def _match_count(self, rs: JsonObject) -> None:
        pods = active_pods(self._store, rs)
        missing = rs["spec"]["replicas"] - len(pods)
        if missing <= 0:
            self._pods.settled(rs)
        for _ in range(missing):
            if not self._pods.create(rs, _COMPONENT):
                break
        for pod in sorted(pods, key=deletion_rank)[: max(0, -missing)]:
            self._pods.delete(rs, pod, _COMPONENT)
