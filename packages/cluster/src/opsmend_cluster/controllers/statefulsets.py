"""StatefulSet → Pods with ordinals, one after the other; rolling updates from the highest ordinal down."""

from typing import Final

from opsmend_cluster.controllers.owned import is_going, is_ready, owned
from opsmend_cluster.controllers.pod_maker import MANAGER, PodMaker
from opsmend_cluster.controllers.revisions import REVISION_HASH, current_revision
from opsmend_cluster.objects.kinds import PODS, STATEFUL_SETS, JsonObject
from opsmend_cluster.objects.selectors import labels_of
from opsmend_cluster.writes.registry import Registry

_COMPONENT: Final = "statefulset-controller"


class StatefulSets:
    def __init__(self, registry: Registry, pods: PodMaker) -> None:
        self._registry = registry
        self._store = registry.store
        self._pods = pods

    def sync(self, namespace: str) -> float:
        return min((self._sync_one(s) for s in self._store.all(STATEFUL_SETS, namespace)), default=float("inf"))

    def _sync_one(self, stateful: JsonObject) -> float:
        pods = {_ordinal(pod): pod for pod in owned(self._store, PODS, stateful)}
        revision = current_revision(self._registry, stateful, {labels_of(p).get(REVISION_HASH, "") for p in pods.values()})
        if not is_going(stateful):
            self._step(stateful, pods, revision)
        self._write_status(stateful, revision)
        return self._pods.retry_at(stateful)

    def _step(self, stateful: JsonObject, pods: dict[int, JsonObject], revision: str) -> None:
        """One change at a time, as OrderedReady demands; Parallel only drops the waiting."""
        wanted = int(stateful["spec"]["replicas"])
        parallel = stateful["spec"]["podManagementPolicy"] == "Parallel"
        for ordinal in range(wanted):
            pod = pods.get(ordinal)
            if pod is None:
                self._create(stateful, ordinal, revision)
                if not parallel:
                    return
            elif pod["status"]["phase"] in ("Failed", "Succeeded") and not is_going(pod):
                self._pods.delete(stateful, pod, _COMPONENT)
                return
            elif not parallel and (not is_ready(pod) or is_going(pod)):
                self._replace_broken(stateful, pod, revision)
                return
        surplus = sorted((o for o in pods if o >= wanted), reverse=True)
        for ordinal in surplus:
            if not is_going(pods[ordinal]):
                self._pods.delete(stateful, pods[ordinal], _COMPONENT)
            return
        self._update(stateful, pods, revision)

    def _create(self, stateful: JsonObject, ordinal: int, revision: str) -> None:
        name = f"{stateful['metadata']['name']}-{ordinal}"
        labels = {
            REVISION_HASH: revision,
            "statefulset.kubernetes.io/pod-name": name,
            "apps.kubernetes.io/pod-index": str(ordinal),
        }
        self._pods.create(stateful, _COMPONENT, name=name, labels=labels, spec={"hostname": name})

    def _replace_broken(self, stateful: JsonObject, pod: JsonObject, revision: str) -> None:
        """A pod of an older template that is not ready does not block the fix. The real controller may wait for a person here:
        https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
        """
        rolling = stateful["spec"]["updateStrategy"]["type"] == "RollingUpdate"
        if rolling and not is_going(pod) and labels_of(pod).get(REVISION_HASH) != revision:
            self._pods.delete(stateful, pod, _COMPONENT)

    def _update(self, stateful: JsonObject, pods: dict[int, JsonObject], revision: str) -> None:
        strategy = stateful["spec"]["updateStrategy"]
        if strategy["type"] != "RollingUpdate":
            return
        partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
        for ordinal in sorted(pods, reverse=True):
            pod = pods[ordinal]
            if ordinal < partition:
                return
            if labels_of(pod).get(REVISION_HASH) != revision:
                if not is_going(pod):
                    self._pods.delete(stateful, pod, _COMPONENT)
                return
            if not is_ready(pod):
                return

    def _write_status(self, stateful: JsonObject, revision: str) -> None:
        pods = [pod for pod in owned(self._store, PODS, stateful) if not is_going(pod)]
        ready = sum(map(is_ready, pods))
        updated = sum(labels_of(pod).get(REVISION_HASH) == revision for pod in pods)
        old = stateful["status"].get("currentRevision", revision)
        current = revision if updated == stateful["spec"]["replicas"] and ready == updated else old
        status: JsonObject = {
            "observedGeneration": stateful["metadata"]["generation"], "replicas": len(pods), "availableReplicas": ready,
            "currentRevision": current, "updateRevision": revision, "collisionCount": 0,
            "currentReplicas": sum(labels_of(pod).get(REVISION_HASH) == current for pod in pods),
        }  # fmt: skip
        status |= {key: value for key, value in (("readyReplicas", ready), ("updatedReplicas", updated)) if value}
        self._registry.update_status(STATEFUL_SETS, stateful, status, MANAGER)


def _ordinal(pod: JsonObject) -> int:
    return int(pod["metadata"]["name"].rpartition("-")[2])
