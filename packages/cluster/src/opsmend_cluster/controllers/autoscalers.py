"""HorizontalPodAutoscalers that go by CPU: https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/.

Other metrics have no source here and are never available, which the autoscaler says as the real one does.
"""

import math
import time
from copy import deepcopy
from decimal import Decimal
from typing import Final

from opsmend_cluster.controllers.owned import is_active, is_ready
from opsmend_cluster.controllers.pod_maker import MANAGER
from opsmend_cluster.kubelet.kubelet import Kubelet
from opsmend_cluster.kubelet.pod_status import set_condition
from opsmend_cluster.objects.clock import timestamp
from opsmend_cluster.objects.kinds import AUTOSCALERS, DEPLOYMENTS, PODS, STATEFUL_SETS, JsonObject, Resource
from opsmend_cluster.objects.quantities import parse_quantity
from opsmend_cluster.objects.selectors import labels_of, selects
from opsmend_cluster.timing import Timing
from opsmend_cluster.writes.recorder import EventRecorder
from opsmend_cluster.writes.registry import Registry, Writer

_PERIOD_SECONDS: Final = 15.0
_STABLE_SECONDS: Final = 300.0
"""How long fewer replicas must be enough before they are taken away."""
_TOLERANCE: Final = 0.1
_COMPONENT: Final = "horizontal-pod-autoscaler"
_SCALED: Final[dict[str, Resource]] = {"Deployment": DEPLOYMENTS, "StatefulSet": STATEFUL_SETS}


class Autoscalers:
    def __init__(self, registry: Registry, kubelet: Kubelet, events: EventRecorder, timing: Timing) -> None:
        self._registry = registry
        self._store = registry.store
        self._kubelet = kubelet
        self._events = events
        self._timing = timing
        self._due: dict[str, float] = {}
        self._low_since: dict[str, float] = {}
        """Autoscaler uid → since when (monotonic) fewer replicas would do."""

    def sync(self, namespace: str) -> float:
        return min((self._sync_one(scaler) for scaler in self._store.all(AUTOSCALERS, namespace)), default=float("inf"))

    def _sync_one(self, scaler: JsonObject) -> float:
        uid, now = scaler["metadata"]["uid"], time.monotonic()
        if now < self._due.get(uid, 0.0):
            return self._due[uid]
        self._due[uid] = now + self._timing.real(_PERIOD_SECONDS)
        reference = scaler["spec"]["scaleTargetRef"]
        resource, namespace = _SCALED.get(reference["kind"]), scaler["metadata"]["namespace"]
        workload = None if resource is None else self._store.get(resource, namespace, reference["name"])
        if resource is None or workload is None:
            self._say(scaler, "AbleToScale", "False", "FailedGetScale", f'{reference["kind"]} "{reference["name"]}" not found')
            return self._due[uid]
        self._scale(scaler, resource, workload)
        return self._due[uid]

    def _scale(self, scaler: JsonObject, resource: Resource, workload: JsonObject) -> None:
        pods = [
            pod
            for pod in self._store.all(PODS, workload["metadata"]["namespace"])
            if selects(workload["spec"]["selector"], labels_of(pod)) and is_active(pod) and is_ready(pod)
        ]
        current, utilization = int(workload["spec"]["replicas"]), self._utilization(pods)
        target = _cpu_target(scaler)
        if target is None or utilization is None:
            message = "the HPA was unable to compute the replica count: failed to get cpu utilization: no metrics known"
            self._say(scaler, "ScalingActive", "False", "FailedGetResourceMetric", message, currentReplicas=current)
            return
        wanted = current
        if abs(utilization / target - 1) > _TOLERANCE:
            wanted = math.ceil(len(pods) * utilization / target)
        bounded = self._stabilised(scaler, current, wanted)
        if bounded != current:
            scaled = deepcopy(workload)
            scaled["spec"]["replicas"] = bounded
            self._registry.update(resource, workload, scaled, Writer(MANAGER), subresource="scale")
            way = "above" if bounded > current else "below"
            reason = f"cpu resource utilization (percentage of request) {way} target"
            self._events.normal(scaler, "SuccessfulRescale", f"New size: {bounded}; reason: {reason}", _COMPONENT)
        self._write(scaler, current, bounded, utilization, self._conditions(scaler, wanted))

    def _utilization(self, pods: list[JsonObject]) -> int | None:
        """Percent of what the pods ask for; None where one asks for nothing."""
        asked = [_cpu_request(pod) for pod in pods]
        if not pods or not all(asked):
            return None
        used = sum((cores for pod in pods for cores in self._kubelet.cpu(pod).values()), Decimal(0))
        return int(100 * used / sum(asked, Decimal(0)))

    def _stabilised(self, scaler: JsonObject, current: int, wanted: int) -> int:
        spec, uid, now = scaler["spec"], scaler["metadata"]["uid"], time.monotonic()
        bounded = int(min(max(wanted, spec["minReplicas"]), spec["maxReplicas"]))
        if bounded >= current:
            self._low_since.pop(uid, None)
            return bounded
        since = self._low_since.setdefault(uid, now)
        over = current > spec["maxReplicas"]
        return bounded if over or now - since >= self._timing.real(_STABLE_SECONDS) else current

    def _conditions(self, scaler: JsonObject, wanted: int) -> list[JsonObject]:
        spec = scaler["spec"]
        found = list(scaler["status"].get("conditions") or [])
        found = set_condition(found, "AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size")
        message = "the HPA was able to successfully calculate a replica count from cpu resource utilization"
        found = set_condition(found, "ScalingActive", "True", "ValidMetricFound", message)
        if wanted > spec["maxReplicas"]:
            text = "the desired replica count is more than the maximum replica count"
            return set_condition(found, "ScalingLimited", "True", "TooManyReplicas", text)
        if wanted < spec["minReplicas"]:
            text = "the desired replica count is less than the minimum replica count"
            return set_condition(found, "ScalingLimited", "True", "TooFewReplicas", text)
        return set_condition(
            found, "ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the acceptable range"
        )

    def _say(self, scaler: JsonObject, kind: str, status: str, reason: str, message: str, **more: int) -> None:
        conditions = set_condition(list(scaler["status"].get("conditions") or []), kind, status, reason, message)
        kept = {key: value for key, value in scaler["status"].items() if key != "currentMetrics"}
        self._registry.update_status(AUTOSCALERS, scaler, {**kept, **more, "conditions": conditions}, MANAGER)
        self._events.warning(scaler, reason, message, _COMPONENT)

    def _write(self, scaler: JsonObject, current: int, desired: int, utilization: int, conditions: list[JsonObject]) -> None:
        resource = {"name": "cpu", "current": {"averageUtilization": utilization}}
        status = {
            "observedGeneration": scaler["metadata"]["generation"], "currentReplicas": current, "desiredReplicas": desired,
            "currentMetrics": [{"type": "Resource", "resource": resource}], "conditions": conditions,
        }  # fmt: skip
        if desired != current:
            status["lastScaleTime"] = timestamp()
        elif "lastScaleTime" in scaler["status"]:
            status["lastScaleTime"] = scaler["status"]["lastScaleTime"]
        self._registry.update_status(AUTOSCALERS, scaler, status, MANAGER)


def _cpu_target(scaler: JsonObject) -> int | None:
    for metric in scaler["spec"].get("metrics") or []:
        resource = metric.get("resource") or {}
        if metric.get("type") == "Resource" and resource.get("name") == "cpu":
            target: int | None = (resource.get("target") or {}).get("averageUtilization")
            return target
    return None


def _cpu_request(pod: JsonObject) -> Decimal:
    requests = [((c.get("resources") or {}).get("requests") or {}).get("cpu", "0") for c in pod["spec"]["containers"]]
    return sum(map(parse_quantity, requests), Decimal(0))
