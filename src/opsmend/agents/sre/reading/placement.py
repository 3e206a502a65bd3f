"""Whether a pod could be placed on a node, by what both declare. What other pods use there is only known to the scheduler."""

from typing import Any, Final

from opsmend.domain.pod_requests import pod_requests
from opsmend.domain.quantity import quantity
from opsmend.domain.record import JsonObject, Record
from opsmend.domain.snapshot import Node, Taint

CORDON: Final = "node.kubernetes.io/unschedulable"
"""The taint that Kubernetes itself puts on a cordoned node."""

_KEEPS_OFF: Final = frozenset({"NoSchedule", "NoExecute"})


class Obstacles(Record):
    """Why a node cannot take a pod; empty where nothing declared stands against it."""

    node: str
    cordoned: bool = False
    not_ready: bool = False
    taints: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    too_small: tuple[str, ...] = ()

    @property
    def none(self) -> bool:
        return not (self.cordoned or self.not_ready or self.taints or self.labels or self.too_small)

    @property
    def only_cordoned(self) -> bool:
        return self.cordoned and self.model_copy(update={"cordoned": False}).none

    def __str__(self) -> str:
        parts = ["is cordoned"] if self.cordoned else []
        parts += ["is not ready"] if self.not_ready else []
        parts += [f"has the taint {taint}" for taint in self.taints]
        parts += [f"does not match {label}" for label in self.labels]
        parts += [f"is too small: {what}" for what in self.too_small]
        return f"node {self.node} {', '.join(parts) or 'has nothing declared against it'}"


def obstacles(template: JsonObject, node: Node) -> Obstacles:
    spec = template.get("spec") or {}
    taints = [t for t in node.taints if t.effect in _KEEPS_OFF and not t.key.startswith("node.kubernetes.io/")]
    return Obstacles(
        node=node.name,
        cordoned=node.unschedulable and not _tolerated(Taint(key=CORDON, effect="NoSchedule"), spec),
        not_ready=not node.ready,
        taints=tuple(f"{t.key}={t.value}:{t.effect}" for t in taints if not _tolerated(t, spec)),
        labels=tuple(_unmatched_labels(spec, node)),
        too_small=tuple(_too_small(template, node)),
    )


def _tolerated(taint: Taint, spec: dict[str, Any]) -> bool:
    for toleration in spec.get("tolerations") or []:
        key, operator = toleration.get("key"), toleration.get("operator", "Equal")
        key_fits = key == taint.key or (not key and operator == "Exists")
        value_fits = operator == "Exists" or toleration.get("value", "") == taint.value
        if key_fits and value_fits and toleration.get("effect") in (None, "", taint.effect):
            return True
    return False


def _unmatched_labels(spec: dict[str, Any], node: Node) -> list[str]:
    unmatched = [f"{k}={v}" for k, v in (spec.get("nodeSelector") or {}).items() if node.labels.get(k) != v]
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms = (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or []
    if terms and not any(all(_expression_fits(e, node) for e in term.get("matchExpressions") or []) for term in terms):
        unmatched.append("the required node affinity")
    return unmatched


def _expression_fits(expression: dict[str, Any], node: Node) -> bool:
    key, operator, values = expression.get("key", ""), expression.get("operator"), expression.get("values") or []
    has = node.labels.get(key)
    if operator in ("In", "Exists"):
        return has is not None and (operator == "Exists" or has in values)
    if operator in ("NotIn", "DoesNotExist"):
        return has is None or (operator == "NotIn" and has not in values)
    number, bound = quantity(has), quantity(values[0] if values else None)
    if number is None or bound is None:
        return False
    return number > bound if operator == "Gt" else number < bound


def _too_small(template: JsonObject, node: Node) -> list[str]:
    small = []
    for name, need in pod_requests(template).items():
        offered = quantity(node.allocatable.get(name))
        if node.allocatable and need > (offered or 0):
            small.append(f"{name} {need.normalize():f} asked, {node.allocatable.get(name, '0')} in all")
    return small
