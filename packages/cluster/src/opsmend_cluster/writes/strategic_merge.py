"""Strategic merge patch: JSON merge patch whose lists of known keys merge item by item.

Merge keys are those of the Kubernetes API types (`patchMergeKey` in k8s.io/api); lists that are not listed are replaced.
https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
"""

from copy import deepcopy
from typing import Any, Final

from opsmend_cluster.objects.kinds import JsonObject
from opsmend_cluster.objects.status import bad_request

_MERGE_KEYS: Final[dict[str, str]] = {
    "containers": "name", "initContainers": "name", "ephemeralContainers": "name", "volumes": "name", "env": "name",
    "volumeMounts": "mountPath", "volumeDevices": "devicePath", "imagePullSecrets": "name", "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey", "conditions": "type", "ownerReferences": "uid", "taints": "key",
    "secrets": "name", "resourceClaims": "name",
}  # fmt: skip
_PRIMITIVE_SETS: Final = frozenset({"finalizers"})
_PORT_KEYS: Final = {"containers": "containerPort", "initContainers": "containerPort", "spec": "port"}
"""`ports` of a container merge by containerPort, those of a Service by port."""
_DIRECTIVES: Final = ("$setElementOrder/", "$deleteFromPrimitiveList/", "$retainKeys", "$patch")


def merge_key(path: tuple[str, ...]) -> str | None:
    """The key by which items of the list at `path` (field names from the root, without indexes) are told apart."""
    field = path[-1]
    if field == "ports":
        return _PORT_KEYS.get(path[-2] if len(path) > 1 else "")
    if field == "addresses" and path[0] == "status":
        return "type"
    return _MERGE_KEYS.get(field)


def strategic_merge(target: JsonObject, patch: JsonObject, path: tuple[str, ...] = ()) -> JsonObject:
    """`target` after `patch`; neither is altered.

    Raises:
        ApiError: 400, a list item without its merge key or an unknown $patch directive.
    """
    if patch.get("$patch") == "replace":
        return {key: deepcopy(value) for key, value in patch.items() if key != "$patch"}
    merged = deepcopy(target)
    if "$retainKeys" in patch:
        merged = {key: value for key, value in merged.items() if key in patch["$retainKeys"]}
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            field = key.partition("/")[2]
            merged[field] = [item for item in merged.get(field) or [] if item not in value]
        elif not key.startswith(_DIRECTIVES):
            _merge_field(merged, key, value, (*path, key))
    return merged


def _merge_field(merged: JsonObject, key: str, value: Any, path: tuple[str, ...]) -> None:
    if value is None:
        merged.pop(key, None)
    elif isinstance(value, dict):
        if value.get("$patch") == "delete":
            merged.pop(key, None)
            return
        current = merged.get(key)
        merged[key] = strategic_merge(current if isinstance(current, dict) else {}, value, path)
    elif isinstance(value, list):
        merged[key] = _merge_list(merged.get(key) or [], value, path)
    else:
        merged[key] = value


def _merge_list(current: list[Any], patch: list[Any], path: tuple[str, ...]) -> list[Any]:
    if path[-1] in _PRIMITIVE_SETS:
        return [*current, *(item for item in patch if item not in current)]
    key = merge_key(path)
    if key is None:
        return deepcopy(patch)
    if {"$patch": "replace"} in patch:
        return [deepcopy(item) for item in patch if item != {"$patch": "replace"}]
    merged = list(current)
    for item in patch:
        merged = _merge_item(merged, item, key, path)
    return merged


def _merge_item(items: list[Any], item: Any, key: str, path: tuple[str, ...]) -> list[Any]:
    if not isinstance(item, dict) or key not in item:
        raise bad_request(f"map: {item} does not contain declared merge key: {key}")
    index = next((i for i, existing in enumerate(items) if existing.get(key) == item[key]), None)
    if item.get("$patch") == "delete":
        return [existing for existing in items if existing.get(key) != item[key]]
    if index is None:
        return [*items, strategic_merge({}, item, path)]
    return [*items[:index], strategic_merge(items[index], item, path), *items[index + 1 :]]
