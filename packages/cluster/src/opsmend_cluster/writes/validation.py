"""What the API server refuses with 422, for the fields that people and agents commonly get wrong."""

import re
from collections.abc import Iterator
from typing import Any, Final

from opsmend_cluster.objects.kinds import JsonObject, Resource
from opsmend_cluster.objects.quantities import parse_quantity
from opsmend_cluster.objects.selectors import selects
from opsmend_cluster.objects.status import Cause, bad_request, invalid
from opsmend_cluster.writes.pod_validation import pod_template_causes, required, wrong

_DNS_LABEL: Final = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
_DNS_SUBDOMAIN: Final = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
_PERCENT: Final = re.compile(r"^[0-9]+%$")
_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist")
_CONFIG_KEY: Final = re.compile(r"^[-._a-zA-Z0-9]+$")
_WORKLOADS: Final = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"})
_LABEL_RULE: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


def validate(resource: Resource, obj: JsonObject, before: JsonObject | None) -> None:
    """Raises:
    ApiError: 422 with every cause found; 400 for a quantity that cannot be read.
    """
    causes = [*_name_causes(obj), *_kind_causes(obj)]
    if before is not None:
        causes += _immutability_causes(obj, before)
    if causes:
        raise invalid(resource, str(obj["metadata"].get("name", "")), causes)


def _name_causes(obj: JsonObject) -> Iterator[Cause]:
    name = obj["metadata"].get("name", "")
    if not name:
        yield Cause("metadata.name", "FieldValueRequired", "Required value: name or generateName is required")
        return
    rule = _DNS_LABEL if obj["kind"] in ("Namespace", "Service") else _DNS_SUBDOMAIN
    if not rule.match(name) or len(name) > 253:
        yield wrong("metadata.name", name, _LABEL_RULE)


def _kind_causes(obj: JsonObject) -> Iterator[Cause]:
    kind, spec = obj["kind"], obj.get("spec") or {}
    yield from _share_causes(spec)
    if kind in _WORKLOADS:
        yield from _workload_causes(kind, spec)
    elif kind == "Pod":
        yield from pod_template_causes(spec, "spec")
    elif kind == "Service":
        yield from _service_causes(spec)
    elif kind == "HorizontalPodAutoscaler":
        yield from _autoscaler_causes(spec)
    elif kind == "PersistentVolumeClaim":
        if not spec.get("accessModes"):
            yield required("spec.accessModes")
        if "storage" not in ((spec.get("resources") or {}).get("requests") or {}):
            yield required("spec.resources[storage]")
    elif kind == "PodDisruptionBudget" and {"minAvailable", "maxUnavailable"} <= spec.keys():
        yield wrong("spec", spec, "minAvailable and maxUnavailable cannot be both set")
    elif kind in ("ConfigMap", "Secret"):
        for key in obj.get("data") or {}:
            if not _CONFIG_KEY.match(key):
                yield wrong(f"data[{key}]", key, "a valid config key must consist of alphanumeric characters, '-', '_' or '.'")
    elif kind == "ResourceQuota":
        for name, quantity in (spec.get("hard") or {}).items():
            _readable(name, quantity)


def _readable(name: str, quantity: str) -> None:
    try:
        parse_quantity(quantity)
    except ValueError as error:
        raise bad_request(f"{name}: {error}") from error


def _workload_causes(kind: str, spec: JsonObject) -> Iterator[Cause]:
    replicas = spec.get("replicas", 0)
    if replicas < 0:
        yield wrong("spec.replicas", replicas, "must be greater than or equal to 0")
    if kind != "Job":
        yield from _selector_causes(spec)
    policy = spec["template"]["spec"].get("restartPolicy")
    allowed = ("OnFailure", "Never") if kind == "Job" else ("Always",)
    if policy not in allowed:
        supported = ", ".join(f'"{value}"' for value in allowed)
        message = f'Unsupported value: "{policy}": supported values: {supported}'
        yield Cause("spec.template.spec.restartPolicy", "FieldValueNotSupported", message)
    yield from pod_template_causes(spec["template"]["spec"], "spec.template.spec")


def _selector_causes(spec: JsonObject) -> Iterator[Cause]:
    selector = spec.get("selector")
    if not selector:
        yield required("spec.selector")
        return
    labels = spec["template"]["metadata"].get("labels") or {}
    for i, expression in enumerate(selector.get("matchExpressions") or []):
        path = f"spec.selector.matchExpressions[{i}]"
        if expression.get("operator") not in _OPERATORS:
            yield wrong(f"{path}.operator", expression.get("operator", ""), "not a valid selector operator")
            return
        if expression["operator"] in ("In", "NotIn") and not expression.get("values"):
            yield required(f"{path}.values")
            return
    if not selects(selector, labels):
        yield wrong("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")


def _share_causes(spec: JsonObject) -> Iterator[Cause]:
    """IntOrString fields: a count or a percentage."""
    for strategy in ("strategy", "updateStrategy"):
        for field, value in ((spec.get(strategy) or {}).get("rollingUpdate") or {}).items():
            yield from _share(f"spec.{strategy}.rollingUpdate.{field}", value)
    for field in ("minAvailable", "maxUnavailable"):
        yield from _share(f"spec.{field}", spec.get(field, 0))


def _share(path: str, value: Any) -> Iterator[Cause]:
    if not (isinstance(value, int) and value >= 0) and not (isinstance(value, str) and _PERCENT.match(value)):
        yield wrong(path, value, "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%')")


def _service_causes(spec: JsonObject) -> Iterator[Cause]:
    ports = spec.get("ports") or []
    if not ports and spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName":
        yield required("spec.ports")
    for i, port in enumerate(ports):
        if not 1 <= port.get("port", 0) <= 65535:
            yield wrong(f"spec.ports[{i}].port", port.get("port", 0), "must be between 1 and 65535, inclusive")
        target = port.get("targetPort")
        if isinstance(target, int) and not 1 <= target <= 65535:
            yield wrong(f"spec.ports[{i}].targetPort", target, "must be between 1 and 65535, inclusive")
        if len(ports) > 1 and not port.get("name"):
            yield required(f"spec.ports[{i}].name")


def _autoscaler_causes(spec: JsonObject) -> Iterator[Cause]:
    low, high = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if high < 1:
        yield wrong("spec.maxReplicas", high, "must be greater than 0")
    if high < low:
        yield wrong("spec.maxReplicas", high, "must be greater than or equal to `minReplicas`")
    if not spec.get("scaleTargetRef"):
        yield required("spec.scaleTargetRef.kind")


_IMMUTABLE: Final[dict[str, tuple[str, ...]]] = {
    "Deployment": ("spec.selector",), "ReplicaSet": ("spec.selector",), "DaemonSet": ("spec.selector",),
    "Job": ("spec.selector", "spec.template", "spec.completions"), "Secret": ("type",),
    "ControllerRevision": ("data",),
}  # fmt: skip
_STATEFUL_MUTABLE: Final = frozenset(
    {"replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "minReadySeconds",
     "persistentVolumeClaimRetentionPolicy"}
)  # fmt: skip


def _immutability_causes(obj: JsonObject, before: JsonObject) -> Iterator[Cause]:
    for path in _IMMUTABLE.get(obj["kind"], ()):
        if _at(obj, path) != _at(before, path):
            yield wrong(path, _at(obj, path), "field is immutable")
    if obj["kind"] == "StatefulSet":
        changed = {k for k in {*obj["spec"], *before["spec"]} if obj["spec"].get(k) != before["spec"].get(k)}
        if changed - _STATEFUL_MUTABLE:
            fields = "'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', "
            message = f"updates to statefulset spec for fields other than {fields}"
            message += "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
            yield Cause("spec", "FieldValueForbidden", f"Forbidden: {message}")
    if obj["kind"] == "PersistentVolumeClaim" and _bound(obj["spec"]) != _bound(before["spec"]):
        message = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
        yield Cause("spec", "FieldValueForbidden", f"Forbidden: {message}")
    if obj["kind"] in ("ConfigMap", "Secret") and before.get("immutable"):
        for field in ("data", "binaryData", "immutable"):
            if obj.get(field) != before.get(field):
                yield Cause(field, "FieldValueForbidden", "Forbidden: field is immutable when `immutable` is set")
    if obj["kind"] == "Pod" and _frozen_part(obj["spec"]) != _frozen_part(before["spec"]):
        message = (
            "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
            "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
        )
        yield Cause("spec", "FieldValueForbidden", message)


def _bound(spec: JsonObject) -> JsonObject:
    """What of a claim is fixed: all but its size and the volume that answers it."""
    return {key: value for key, value in spec.items() if key not in ("resources", "volumeName")}


def _frozen_part(spec: JsonObject) -> JsonObject:
    mutable = ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "nodeName")
    frozen = {key: value for key, value in spec.items() if key not in mutable}
    for field in ("containers", "initContainers"):
        if field in frozen:
            frozen[field] = [{k: v for k, v in c.items() if k != "image"} for c in frozen[field]]
    return frozen


def _at(obj: JsonObject, path: str) -> Any:
    value: Any = obj
    for key in path.split("."):
        value = (value or {}).get(key)
    return value
