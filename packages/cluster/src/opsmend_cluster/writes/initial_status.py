"""The status of an object before its controller has looked at it: the required fields of the API types."""

from typing import Any, Final

from opsmend_cluster.objects.kinds import JsonObject

_INITIAL: Final[dict[str, JsonObject]] = {
    "Deployment": {},
    "ReplicaSet": {"replicas": 0},
    "StatefulSet": {"replicas": 0, "availableReplicas": 0},
    "DaemonSet": {"currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0},
    "Job": {},
    "CronJob": {},
    "Service": {"loadBalancer": {}},
    "Namespace": {"phase": "Active"},
    "ResourceQuota": {},
    "HorizontalPodAutoscaler": {"desiredReplicas": 0, "currentReplicas": 0, "currentMetrics": None, "conditions": None},
    "PodDisruptionBudget": {"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0},
    "Node": {},
    "PersistentVolumeClaim": {"phase": "Pending"},
    "PersistentVolume": {"phase": "Available"},
}


def initial_status(obj: JsonObject) -> None:
    """Set `obj.status` in place, for kinds that have one."""
    if obj["kind"] == "Pod":
        obj["status"] = {"phase": "Pending", "qosClass": _qos_class(obj["spec"])}
    elif obj["kind"] in _INITIAL:
        obj["status"] = {key: value for key, value in _INITIAL[obj["kind"]].items() if value is not None}


def _qos_class(spec: JsonObject) -> str:
    everything = [container.get("resources") or {} for container in spec["containers"]]
    if not any(r.get("requests") or r.get("limits") for r in everything):
        return "BestEffort"
    guaranteed = all(_guaranteed(r) for r in everything)
    return "Guaranteed" if guaranteed else "Burstable"


def _guaranteed(resources: dict[str, Any]) -> bool:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    return {"cpu", "memory"} <= set(limits) and all(requests.get(name) == limits[name] for name in limits)
