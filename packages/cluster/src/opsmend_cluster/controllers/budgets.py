"""The status of resource quotas and of disruption budgets."""

import math
from typing import Any

from opsmend_cluster.controllers.owned import controller_uid, is_active, is_ready
from opsmend_cluster.controllers.pod_maker import MANAGER
from opsmend_cluster.kubelet.pod_status import set_condition
from opsmend_cluster.objects.kinds import (
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    PODS,
    REPLICA_SETS,
    RESOURCE_QUOTAS,
    STATEFUL_SETS,
    JsonObject,
)
from opsmend_cluster.objects.selectors import labels_of, selects
from opsmend_cluster.writes.quota import usage
from opsmend_cluster.writes.registry import Registry


class Budgets:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store

    def sync(self, namespace: str) -> float:
        for quota in self._store.all(RESOURCE_QUOTAS, namespace):
            hard = quota["spec"].get("hard") or {}
            status = {"hard": hard, "used": usage(self._store, namespace, hard)}
            self._registry.update_status(RESOURCE_QUOTAS, quota, status, MANAGER)
        for budget in self._store.all(DISRUPTION_BUDGETS, namespace):
            self._registry.update_status(DISRUPTION_BUDGETS, budget, self._disruptions(budget), MANAGER)
        return float("inf")

    def _disruptions(self, budget: JsonObject) -> JsonObject:
        spec, namespace = budget["spec"], budget["metadata"]["namespace"]
        pods = [
            pod for pod in self._store.all(PODS, namespace)
            if selects(spec.get("selector"), labels_of(pod)) and is_active(pod)
        ]  # fmt: skip
        expected = self._expected(namespace, pods)
        if "maxUnavailable" in spec:
            desired = max(0, expected - _share(spec["maxUnavailable"], expected))
        else:
            desired = _share(spec.get("minAvailable", 1), expected)
        healthy = sum(map(is_ready, pods))
        allowed = max(0, healthy - desired)
        condition = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
        conditions = set_condition(budget["status"].get("conditions") or [], "DisruptionAllowed", *condition)
        return {
            "observedGeneration": budget["metadata"]["generation"], "currentHealthy": healthy, "desiredHealthy": desired,
            "expectedPods": expected, "disruptionsAllowed": allowed,
            "conditions": [{**c, "message": "", "observedGeneration": budget["metadata"]["generation"]} for c in conditions],
        }  # fmt: skip

    def _expected(self, namespace: str, pods: list[JsonObject]) -> int:
        """The replicas that the pods' controllers want; bare pods count themselves."""
        wanted: dict[str, int] = {}
        for owner in [*self._store.all(REPLICA_SETS, namespace), *self._store.all(STATEFUL_SETS, namespace)]:
            wanted[owner["metadata"]["uid"]] = int(owner["spec"]["replicas"])
        deployments = {d["metadata"]["uid"]: int(d["spec"]["replicas"]) for d in self._store.all(DEPLOYMENTS, namespace)}
        parents = {rs["metadata"]["uid"]: controller_uid(rs) for rs in self._store.all(REPLICA_SETS, namespace)}
        owners: dict[str, int] = {}
        bare = 0
        for pod in pods:
            uid = controller_uid(pod)
            top = parents.get(uid) or uid
            if top in deployments or uid in wanted:
                owners[top] = deployments.get(top, wanted.get(uid, 0))
            else:
                bare += 1
        return sum(owners.values()) + bare


def _share(value: Any, total: int) -> int:
    return value if isinstance(value, int) else math.ceil(int(str(value).rstrip("%")) * total / 100)
