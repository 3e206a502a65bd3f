"""Server-side tables: the columns of `kubectl get`."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from opsmend_cluster.objects.clock import parse_time
from opsmend_cluster.objects.kinds import JsonObject
from opsmend_cluster.objects.selectors import selector_text

Column = tuple[str, Callable[[JsonObject], Any]]


def table(kind: str, objects: list[JsonObject], metadata: JsonObject, include: str) -> JsonObject:
    """A `meta.k8s.io/v1` Table of `objects`; `include` is the request's includeObject (None, Metadata, Object)."""
    columns = [*_COLUMNS.get(kind, [("Name", _name), ("Age", _age)])]
    wide = _WIDE.get(kind, [])
    return {
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
        "columnDefinitions": [
            {"name": name, "type": "string", "format": "name" * (name == "Name"), "description": "", "priority": priority}
            for priority, group in ((0, columns), (1, wide)) for name, _ in group
        ],
        "rows": [{"cells": [cell(obj) for _, cell in [*columns, *wide]], "object": _object(obj, include)} for obj in objects],
    }  # fmt: skip


def _object(obj: JsonObject, include: str) -> JsonObject | None:
    match include:
        case "None":
            return None
        case "Object":
            return obj
        case _:
            return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def _name(obj: JsonObject) -> str:
    return str(obj["metadata"]["name"])


def _age(obj: JsonObject) -> str:
    return _since(obj["metadata"].get("creationTimestamp"))


def _since(moment: str | None) -> str:
    if not moment:
        return "<unknown>"
    seconds = max(0, int((datetime.now(UTC) - parse_time(moment)).total_seconds()))
    if seconds < 120:
        return f"{seconds}s"
    if seconds < 7200:
        return f"{seconds // 60}m"
    return f"{seconds // 3600}h" if seconds < 172_800 else f"{seconds // 86_400}d"


def _at(path: str, default: Any = "<none>") -> Callable[[JsonObject], Any]:
    def cell(obj: JsonObject) -> Any:
        value: Any = obj
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        return default if value is None else value

    return cell


def _fraction(top: str, bottom: str) -> Callable[[JsonObject], str]:
    return lambda obj: f"{_at(top, 0)(obj)}/{_at(bottom, 0)(obj)}"


def _pod_ready(pod: JsonObject) -> str:
    statuses = pod["status"].get("containerStatuses") or []
    return f"{sum(s['ready'] for s in statuses)}/{len(pod['spec']['containers'])}"


def _pod_status(pod: JsonObject) -> str:
    if "deletionTimestamp" in pod["metadata"]:
        return "Terminating"
    status = pod["status"]
    for prefix, statuses in (("Init:", "initContainerStatuses"), ("", "containerStatuses")):
        for container in status.get(statuses) or []:
            state = container["state"]
            for phase in ("waiting", "terminated"):
                reason = state.get(phase, {}).get("reason", "")
                if reason and not (prefix and reason in ("PodInitializing", "Completed")):
                    return f"{prefix}{reason}"
    return str(status.get("reason") or status["phase"])


def _restarts(pod: JsonObject) -> str:
    return str(sum(s["restartCount"] for s in pod["status"].get("containerStatuses") or []))


def _containers(field: str) -> Callable[[JsonObject], str]:
    return lambda obj: ",".join(str(c[field]) for c in obj["spec"]["template"]["spec"]["containers"])


def _selector(obj: JsonObject) -> str:
    selector = obj["spec"].get("selector") or {}
    labelled = selector if "matchLabels" in selector or "matchExpressions" in selector else {"matchLabels": selector}
    return selector_text(labelled) or "<none>"


def _ports(service: JsonObject) -> str:
    return ",".join(f"{p['port']}/{p['protocol']}" for p in service["spec"].get("ports") or []) or "<none>"


def _data_count(obj: JsonObject) -> int:
    return len(obj.get("data") or {}) + len(obj.get("binaryData") or {})


def _node_status(node: JsonObject) -> str:
    conditions = node["status"].get("conditions") or []
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ("Ready" if ready else "NotReady") + (",SchedulingDisabled" if node["spec"].get("unschedulable") else "")


def _event_object(event: JsonObject) -> str:
    return f"{event['involvedObject'].get('kind', '').lower()}/{event['involvedObject'].get('name', '')}"


def _endpoints(endpoints: JsonObject) -> str:
    pairs = [
        f"{address['ip']}:{port['port']}"
        for subset in endpoints.get("subsets") or []
        for address in subset.get("addresses") or []
        for port in subset.get("ports") or []
    ]
    return ",".join(pairs) or "<none>"


def _quota_text(kind: str) -> Callable[[JsonObject], str]:
    def cell(quota: JsonObject) -> str:
        hard, used = quota["spec"].get("hard") or {}, quota["status"].get("used") or {}
        names = [name for name in sorted(hard) if name.startswith("limits.") is (kind == "limits")]
        return ", ".join(f"{name}: {used.get(name, 0)}/{hard[name]}" for name in names)

    return cell


_CONTAINERS: Final[list[Column]] = [
    ("Containers", _containers("name")),
    ("Images", _containers("image")),
    ("Selector", _selector),
]

_COLUMNS: Final[dict[str, list[Column]]] = {
    "Deployment": [
        ("Name", _name), ("Ready", _fraction("status.readyReplicas", "spec.replicas")),
        ("Up-to-date", _at("status.updatedReplicas", 0)), ("Available", _at("status.availableReplicas", 0)), ("Age", _age),
    ],
    "ReplicaSet": [
        ("Name", _name), ("Desired", _at("spec.replicas")), ("Current", _at("status.replicas", 0)),
        ("Ready", _at("status.readyReplicas", 0)), ("Age", _age),
    ],
    "StatefulSet": [("Name", _name), ("Ready", _fraction("status.readyReplicas", "spec.replicas")), ("Age", _age)],
    "DaemonSet": [
        ("Name", _name), ("Desired", _at("status.desiredNumberScheduled", 0)),
        ("Current", _at("status.currentNumberScheduled", 0)),
        ("Ready", _at("status.numberReady", 0)), ("Up-to-date", _at("status.updatedNumberScheduled", 0)),
        ("Available", _at("status.numberAvailable", 0)), ("Age", _age),
    ],
    "Job": [("Name", _name), ("Completions", _fraction("status.succeeded", "spec.completions")), ("Age", _age)],
    "Pod": [("Name", _name), ("Ready", _pod_ready), ("Status", _pod_status), ("Restarts", _restarts), ("Age", _age)],
    "Service": [
        ("Name", _name), ("Type", _at("spec.type")), ("Cluster-IP", _at("spec.clusterIP")),
        ("External-IP", lambda _: "<none>"), ("Port(s)", _ports), ("Age", _age),
    ],
    "ConfigMap": [("Name", _name), ("Data", _data_count), ("Age", _age)],
    "Secret": [("Name", _name), ("Type", _at("type")), ("Data", _data_count), ("Age", _age)],
    "Namespace": [("Name", _name), ("Status", _at("status.phase")), ("Age", _age)],
    "Node": [
        ("Name", _name), ("Status", _node_status), ("Roles", lambda _: "<none>"), ("Age", _age),
        ("Version", _at("status.nodeInfo.kubeletVersion")),
    ],
    "Event": [
        ("Last Seen", lambda e: _since(e.get("lastTimestamp"))), ("Type", _at("type")), ("Reason", _at("reason")),
        ("Object", _event_object), ("Message", _at("message")),
    ],
    "Endpoints": [("Name", _name), ("Endpoints", _endpoints), ("Age", _age)],
    "HorizontalPodAutoscaler": [
        ("Name", _name), ("Reference", lambda h: "{kind}/{name}".format(**h["spec"]["scaleTargetRef"])),
        ("MinPods", _at("spec.minReplicas")), ("MaxPods", _at("spec.maxReplicas")),
        ("Replicas", _at("status.currentReplicas", 0)), ("Age", _age),
    ],
    "PodDisruptionBudget": [
        ("Name", _name), ("Min Available", _at("spec.minAvailable", "N/A")),
        ("Max Unavailable", _at("spec.maxUnavailable", "N/A")),
        ("Allowed Disruptions", _at("status.disruptionsAllowed", 0)), ("Age", _age),
    ],
    "ResourceQuota": [("Name", _name), ("Request", _quota_text("requests")), ("Limit", _quota_text("limits")), ("Age", _age)],
}  # fmt: skip
_WIDE: Final[dict[str, list[Column]]] = {
    "Deployment": _CONTAINERS, "ReplicaSet": _CONTAINERS, "DaemonSet": _CONTAINERS,
    "Pod": [("IP", _at("status.podIP")), ("Node", _at("spec.nodeName"))],
    "Service": [("Selector", _selector)],
}  # fmt: skip
