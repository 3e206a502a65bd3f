"""The metrics API, as metrics-server serves it: what the containers of running pods use right now."""

from opsmend_cluster.api.answer import Answer
from opsmend_cluster.api.context import Call
from opsmend_cluster.objects.clock import timestamp
from opsmend_cluster.objects.kinds import POD_METRICS, PODS, JsonObject
from opsmend_cluster.objects.selectors import label_matcher
from opsmend_cluster.objects.status import not_found


def get(call: Call) -> Answer:
    request = call.request
    pod = call.cluster.registry.require(PODS, request.namespace, request.name)
    measured = _measured(call, pod)
    if measured is None:
        raise not_found(POD_METRICS, request.name)
    return Answer(measured)


def list_all(call: Call) -> Answer:
    matches = label_matcher(call.request.query.get("labelSelector", ""))
    pods = [pod for pod in call.cluster.store.all(PODS, call.request.namespace) if matches(pod)]
    items = [measured for pod in pods if (measured := _measured(call, pod)) is not None]
    return Answer({"kind": "PodMetricsList", "apiVersion": POD_METRICS.api_version, "metadata": {}, "items": items})


def _measured(call: Call, pod: JsonObject) -> JsonObject | None:
    used = call.cluster.kubelet.cpu(pod)
    if not used:
        return None
    kept = {key: pod["metadata"][key] for key in ("name", "namespace", "labels") if key in pod["metadata"]}
    containers = [{"name": name, "usage": {"cpu": f"{int(cores * 10**9)}n", "memory": "16Mi"}} for name, cores in used.items()]
    return {
        "kind": "PodMetrics", "apiVersion": POD_METRICS.api_version, "metadata": {**kept, "creationTimestamp": timestamp()},
        "timestamp": timestamp(), "window": "15s", "containers": containers,
    }  # fmt: skip
