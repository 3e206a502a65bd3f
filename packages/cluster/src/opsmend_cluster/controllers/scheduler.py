"""Pods → nodes, or the reason why not, in the scheduler's words."""

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Final

from opsmend_cluster.controllers.volumes import claims_of
from opsmend_cluster.kubelet.pod_status import set_condition
from opsmend_cluster.objects.kinds import CLAIMS, NODES, PODS, STORAGE_CLASSES, JsonObject
from opsmend_cluster.objects.quantities import parse_quantity
from opsmend_cluster.objects.selectors import labels_of
from opsmend_cluster.objects.store import Store
from opsmend_cluster.writes.quota import is_finished, pod_amounts
from opsmend_cluster.writes.recorder import EventRecorder
from opsmend_cluster.writes.registry import Registry

_COMPONENT: Final = "default-scheduler"
_COMPUTE: Final = ("cpu", "memory", "ephemeral-storage")


class Scheduler:
    def __init__(self, registry: Registry, events: EventRecorder) -> None:
        self._registry = registry
        self._store: Store = registry.store
        self._events = events

    def sync(self, namespace: str) -> float:
        for pod in self._store.all(PODS, namespace):
            spec = pod["spec"]
            mine = spec.get("schedulerName") == _COMPONENT and not spec.get("nodeName")
            if mine and not is_finished(pod) and "deletionTimestamp" not in pod["metadata"]:
                self._place(pod)
        return float("inf")

    def _place(self, pod: JsonObject) -> None:
        nodes = self._store.all(NODES)
        load = self._load()
        reasons = {node["metadata"]["name"]: _objections(pod, node, load) for node in nodes}
        missing = self._missing_claim(pod)
        fitting = [name for name, objections in reasons.items() if not objections]
        if missing or not fitting:
            self._refuse(pod, missing or _sentence(list(reasons.values())))
            return
        name = min(fitting, key=lambda node: (load[node]["pods"], node))
        bound = {**pod, "spec": {**pod["spec"], "nodeName": name}}
        bound["metadata"] = dict(pod["metadata"])
        bound["status"] = {
            **pod["status"],
            "conditions": set_condition(pod["status"].get("conditions") or [], "PodScheduled", "True"),
        }
        self._store.put(PODS, bound)
        metadata = pod["metadata"]
        message = f"Successfully assigned {metadata['namespace']}/{metadata['name']} to {name}"
        self._events.normal(bound, "Scheduled", message, _COMPONENT)

    def _missing_claim(self, pod: JsonObject) -> str:
        """Why a volume of the pod keeps it waiting; empty when none does. Claims that wait for their pod do not."""
        total = len(self._store.all(NODES))
        for name in claims_of(pod):
            claim = self._store.get(CLAIMS, pod["metadata"]["namespace"], name)
            if claim is None:
                return f'0/{total} nodes are available: persistentvolumeclaim "{name}" not found.'
            storage_class = self._store.get(STORAGE_CLASSES, "", claim["spec"].get("storageClassName", "")) or {}
            if claim["status"]["phase"] != "Bound" and storage_class.get("volumeBindingMode") != "WaitForFirstConsumer":
                return f"0/{total} nodes are available: pod has unbound immediate PersistentVolumeClaims."
        return ""

    def _load(self) -> dict[str, dict[str, Decimal]]:
        load: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for pod in self._store.all(PODS):
            node = pod["spec"].get("nodeName")
            if node and not is_finished(pod):
                for resource, amount in pod_amounts(pod["spec"]).items():
                    load[node][resource] += amount
        return load

    def _refuse(self, pod: JsonObject, message: str) -> None:
        conditions = set_condition(pod["status"].get("conditions") or [], "PodScheduled", "False", "Unschedulable", message)
        if conditions == pod["status"].get("conditions"):
            return
        self._registry.update_status(PODS, pod, {**pod["status"], "conditions": conditions}, "kube-scheduler")
        self._events.warning(pod, "FailedScheduling", message, _COMPONENT)


def _objections(pod: JsonObject, node: JsonObject, load: dict[str, dict[str, Decimal]]) -> list[str]:
    """Why `pod` cannot run on `node`: the first filter that objects, with all that this filter has to say."""
    spec = pod["spec"]
    tolerated = {"node.kubernetes.io/unschedulable"} if tolerates(spec, _UNSCHEDULABLE) else set()
    if node["spec"].get("unschedulable") and not tolerated:
        return ["node(s) were unschedulable"]
    for taint in node["spec"].get("taints") or []:
        if taint["effect"] in ("NoSchedule", "NoExecute") and not tolerates(spec, taint):
            return [f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"]
    labels = labels_of(node)
    if not (spec.get("nodeSelector") or {}).items() <= labels.items() or not _affine(spec, labels, node["metadata"]["name"]):
        return ["node(s) didn't match Pod's node affinity/selector"]
    allocatable = node["status"].get("allocatable") or {}
    used, asked = load[node["metadata"]["name"]], pod_amounts(spec)
    objections = []
    if used["pods"] + 1 > parse_quantity(allocatable.get("pods", "110")):
        objections.append("Too many pods")
    for resource in sorted({*(key for key in asked if "." not in key and "/" not in key and key != "pods"), *_COMPUTE}):
        if asked.get(resource) and used[resource] + asked[resource] > parse_quantity(allocatable.get(resource, "0")):
            objections.append(f"Insufficient {resource}")
    return objections


_UNSCHEDULABLE: Final[JsonObject] = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def tolerates(spec: JsonObject, taint: JsonObject) -> bool:
    for toleration in spec.get("tolerations") or []:
        if toleration.get("effect") not in (None, "", taint["effect"]):
            continue
        if toleration.get("operator") == "Exists" and toleration.get("key") in (None, "", taint["key"]):
            return True
        if toleration.get("key") == taint["key"] and toleration.get("value", "") == taint.get("value", ""):
            return True
    return False


def _affine(spec: JsonObject, labels: dict[str, str], name: str) -> bool:
    node_affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms = (node_affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms")
    return terms is None or any(_term_holds(term, labels, name) for term in terms)


def _term_holds(term: JsonObject, labels: dict[str, str], name: str) -> bool:
    by_label = all(_holds(e, labels) for e in term.get("matchExpressions") or [])
    return by_label and all(_holds(e, {"metadata.name": name}) for e in term.get("matchFields") or [])


def _holds(expression: JsonObject, labels: dict[str, str]) -> bool:
    value = labels.get(expression["key"])
    match expression["operator"]:
        case "In":
            return value in expression["values"]
        case "NotIn":
            return value not in expression["values"]
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt":
            return value is not None and int(value) > int(expression["values"][0])
        case _:
            return value is not None and int(value) < int(expression["values"][0])


def _sentence(objections: list[list[str]]) -> str:
    total = len(objections)
    if not total:
        return "no nodes available to schedule pods"
    counts = Counter(reason for reasons in objections for reason in reasons)
    listed = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
    hopeless = sum(not reasons[0].startswith(("Insufficient", "Too many")) for reasons in objections)
    preemption = []
    if total - hopeless:
        preemption.append(f"{total - hopeless} No preemption victims found for incoming pod")
    if hopeless:
        preemption.append(f"{hopeless} Preemption is not helpful for scheduling")
    return f"0/{total} nodes are available: {listed}. preemption: 0/{total} nodes are available: {', '.join(preemption)}."
