"""Resource quotas: what counts, how much is used, and what no longer fits."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from opsmend_cluster.objects.kinds import PODS, RESOURCE_QUOTAS, JsonObject, Resource
from opsmend_cluster.objects.quantities import format_quantity, parse_quantity
from opsmend_cluster.objects.status import forbidden
from opsmend_cluster.objects.store import Store

Amounts = dict[str, Decimal]
_COUNTED = ("services", "configmaps", "secrets", "resourcequotas", "replicationcontrollers")


def pod_amounts(spec: JsonObject) -> Amounts:
    """What a pod asks for, under every name that a quota may use: `requests.cpu` and `cpu`, `limits.memory`, `pods`."""
    amounts: Amounts = defaultdict(Decimal, {"pods": Decimal(1), "count/pods": Decimal(1)})
    for container in spec["containers"]:
        resources = container.get("resources") or {}
        for kind in ("requests", "limits"):
            for name, quantity in (resources.get(kind) or {}).items():
                amounts[f"{kind}.{name}"] += parse_quantity(quantity)
                if kind == "requests":
                    amounts[name] += parse_quantity(quantity)
    return amounts


def is_finished(pod: JsonObject) -> bool:
    """Finished pods hold no quota and no room on a node."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def usage(store: Store, namespace: str, hard: Iterable[str]) -> dict[str, str]:
    """`status.used` of a quota with these names."""
    totals: Amounts = defaultdict(Decimal)
    for pod in store.all(PODS, namespace):
        if not is_finished(pod):
            for name, amount in pod_amounts(pod["spec"]).items():
                totals[name] += amount
    for resource, _ in store.namespace_objects(namespace):
        if resource is not PODS:
            totals[_count_name(resource)] += 1
            if resource.plural in _COUNTED:
                totals[resource.plural] += 1
    return {name: format_quantity(totals[name], name) for name in hard}


def _count_name(resource: Resource) -> str:
    return f"count/{resource.qualified}"


def check_quotas(store: Store, resource: Resource, obj: JsonObject) -> None:
    """Refuse a new object that a quota of its namespace has no room for.

    Raises:
        ApiError: 403, in the words of the ResourceQuota admission plugin.
    """
    metadata = obj["metadata"]
    if "namespace" not in metadata:
        return
    for quota in store.all(RESOURCE_QUOTAS, metadata["namespace"]):
        hard = quota["spec"].get("hard") or {}
        asked = _asked(resource, obj)
        name = metadata["name"]
        if resource is PODS:
            _check_specified(resource, obj, quota["metadata"]["name"], hard)
        used = usage(store, metadata["namespace"], hard)
        over = [key for key in sorted(hard) if asked.get(key) and _over(asked[key], used[key], hard[key])]
        if over:
            text = "exceeded quota: {}, requested: {}, used: {}, limited: {}".format(
                quota["metadata"]["name"],
                ",".join(f"{key}={format_quantity(asked[key], key)}" for key in over),
                ",".join(f"{key}={used[key]}" for key in over),
                ",".join(f"{key}={hard[key]}" for key in over),
            )
            raise forbidden(resource, name, text)


def _asked(resource: Resource, obj: JsonObject) -> Amounts:
    if resource is PODS:
        return pod_amounts(obj["spec"])
    asked = {_count_name(resource): Decimal(1)}
    if resource.plural in _COUNTED:
        asked[resource.plural] = Decimal(1)
    return asked


def _over(asked: Decimal, used: str, hard: str) -> bool:
    return parse_quantity(used) + asked > parse_quantity(hard)


def _check_specified(resource: Resource, pod: JsonObject, quota: str, hard: JsonObject) -> None:
    """A quota on a compute resource demands that each container states it."""
    for key in sorted(hard):
        kind, _, name = key.partition(".") if "." in key else ("requests", "", key)
        if kind not in ("requests", "limits") or name not in ("cpu", "memory"):
            continue
        silent = [
            container["name"]
            for container in pod["spec"]["containers"]
            if name not in ((container.get("resources") or {}).get(kind) or {})
        ]
        if silent:
            raise forbidden(
                resource, pod["metadata"]["name"], f"failed quota: {quota}: must specify {key} for: {','.join(silent)}"
            )
