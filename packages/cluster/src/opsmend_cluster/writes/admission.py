"""Admission of new objects: what the built-in plugins fill in or refuse."""

from opsmend_cluster.objects.kinds import (
    CLAIMS,
    LIMIT_RANGES,
    NAMESPACES,
    PODS,
    SERVICE_ACCOUNTS,
    SERVICES,
    STORAGE_CLASSES,
    JsonObject,
    Resource,
)
from opsmend_cluster.objects.quantities import parse_quantity
from opsmend_cluster.objects.status import forbidden, not_found
from opsmend_cluster.objects.store import Store
from opsmend_cluster.writes.quota import check_quotas


def admit(store: Store, resource: Resource, obj: JsonObject) -> None:
    """Fill `obj` in place.

    Raises:
        ApiError: 404 for an unknown namespace, 403 where a plugin refuses.
    """
    if resource.namespaced:
        _check_namespace(store, resource, obj)
    if resource is PODS:
        _admit_pod(store, obj)
    if resource is SERVICES:
        _assign_cluster_ip(store, obj)
    if resource is CLAIMS:
        _assign_default_class(store, obj)
    check_quotas(store, resource, obj)


def _check_namespace(store: Store, resource: Resource, obj: JsonObject) -> None:
    name = obj["metadata"]["namespace"]
    namespace = store.get(NAMESPACES, "", name)
    if namespace is None:
        raise not_found(NAMESPACES, name)
    if "deletionTimestamp" in namespace["metadata"]:
        text = f"unable to create new content in namespace {name} because it is being terminated"
        raise forbidden(resource, obj["metadata"]["name"], text)


def _admit_pod(store: Store, pod: JsonObject) -> None:
    spec, metadata = pod["spec"], pod["metadata"]
    account = spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", account)
    if store.get(SERVICE_ACCOUNTS, metadata["namespace"], account) is None:
        text = f'error looking up service account {metadata["namespace"]}/{account}: serviceaccount "{account}" not found'
        raise forbidden(PODS, metadata["name"], text)
    tolerations = spec.setdefault("tolerations", [])
    for taint in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(t.get("key") == taint and t.get("effect") in (None, "NoExecute") for t in tolerations):
            tolerations.append({"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})
    for limit_range in store.all(LIMIT_RANGES, metadata["namespace"]):
        for item in limit_range["spec"].get("limits") or []:
            if item.get("type") == "Container":
                _limit_containers(pod, item)


def _limit_containers(pod: JsonObject, item: JsonObject) -> None:
    for container in pod["spec"]["containers"]:
        resources = container.setdefault("resources", {})
        for kind, default in (("limits", "default"), ("requests", "defaultRequest")):
            for name, quantity in (item.get(default) or {}).items():
                resources.setdefault(kind, {}).setdefault(name, quantity)
        for name, most in (item.get("max") or {}).items():
            limit = (resources.get("limits") or {}).get(name)
            if limit is not None and parse_quantity(limit) > parse_quantity(most):
                text = f"maximum {name} usage per Container is {most}, but limit is {limit}"
                raise forbidden(PODS, pod["metadata"]["name"], text)
        for name, least in (item.get("min") or {}).items():
            request = (resources.get("requests") or {}).get(name)
            if request is not None and parse_quantity(request) < parse_quantity(least):
                text = f"minimum {name} usage per Container is {least}, but request is {request}"
                raise forbidden(PODS, pod["metadata"]["name"], text)


def _assign_default_class(store: Store, claim: JsonObject) -> None:
    annotation = "storageclass.kubernetes.io/is-default-class"
    for storage_class in store.all(STORAGE_CLASSES):
        if (storage_class["metadata"].get("annotations") or {}).get(annotation) == "true":
            claim["spec"].setdefault("storageClassName", storage_class["metadata"]["name"])


def _assign_cluster_ip(store: Store, service: JsonObject) -> None:
    spec = service["spec"]
    if spec["type"] == "ExternalName" or "clusterIP" in spec:
        return
    taken = {s["spec"].get("clusterIP") for s in store.all(SERVICES)}
    spec["clusterIP"] = next(address for i in range(1, 65_000) if (address := f"10.96.{i // 250}.{i % 250 + 1}") not in taken)
    spec["clusterIPs"] = [spec["clusterIP"]]
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
