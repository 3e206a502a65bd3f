"""Who wrote what: `metadata.managedFields`, kept field by field, and server-side apply on top of it."""

import json
from collections.abc import Iterable
from copy import deepcopy
from typing import Any, Final

from opsmend_cluster.objects.clock import timestamp
from opsmend_cluster.objects.kinds import JsonObject
from opsmend_cluster.objects.status import ApiError
from opsmend_cluster.writes.strategic_merge import merge_key, strategic_merge

Path = tuple[str, ...]
"""A leaf of an object as fieldsV1 spells it: `f:spec`, `f:containers`, `k:{"name":"web"}`, `f:image`."""

_UNMANAGED_METADATA: Final = frozenset(
    {"managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "name", "namespace", "selfLink",
     "deletionTimestamp", "deletionGracePeriodSeconds"}
)  # fmt: skip
_UNMANAGED: Final = frozenset({"apiVersion", "kind"})


def leaves(obj: JsonObject) -> dict[Path, Any]:
    """Every managed leaf of `obj` with its value."""
    found: dict[Path, Any] = {}
    for key, value in obj.items():
        if key in _UNMANAGED:
            continue
        if key == "metadata":
            value = {k: v for k, v in value.items() if k not in _UNMANAGED_METADATA}
        _collect(value, (f"f:{key}",), (key,), found)
    return found


def _collect(value: Any, path: Path, fields: tuple[str, ...], found: dict[Path, Any]) -> None:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            _collect(inner, (*path, f"f:{key}"), (*fields, key), found)
        return
    key = merge_key(fields) if isinstance(value, list) and value else None
    if key is None or not all(isinstance(item, dict) and key in item for item in value):
        found[path] = value
        return
    for item in value:
        element = "k:" + json.dumps({key: item[key]}, separators=(",", ":"))
        for inner_key, inner in item.items():
            _collect(inner, (*path, element, f"f:{inner_key}"), (*fields, inner_key), found)


def record_update(before: JsonObject | None, after: JsonObject, manager: str, subresource: str = "") -> None:
    """Enter into `after.metadata.managedFields` what this write changed; the fields leave their former Update managers."""
    old, new = leaves(before) if before else {}, leaves(after)
    changed = {path for path, value in new.items() if path not in old or old[path] != value}
    entries = [] if before is None else before["metadata"].get("managedFields") or []
    kept = _without(entries, changed | (set(old) - set(new)))
    if changed:
        kept = _with(kept, changed, manager, "Update", str(after["apiVersion"]), subresource)
    after["metadata"]["managedFields"] = kept


def _without(entries: Iterable[JsonObject], gone: set[Path]) -> list[JsonObject]:
    kept = []
    for entry in entries:
        owned = paths_of(entry.get("fieldsV1") or {})
        left = owned - gone
        if left == owned:
            kept.append(entry)
        elif left:
            kept.append({**entry, "fieldsV1": fields_v1(left)})
    return kept


def _with(
    entries: list[JsonObject], paths: set[Path], manager: str, operation: str, version: str, subresource: str
) -> list[JsonObject]:
    same = (manager, operation, version, subresource)
    owned = set(paths)
    others = []
    for entry in entries:
        if (entry["manager"], entry["operation"], entry["apiVersion"], entry.get("subresource", "")) == same:
            owned |= paths_of(entry["fieldsV1"])
        else:
            others.append(entry)
    entry = {
        "manager": manager, "operation": operation, "apiVersion": version, "time": timestamp(),
        "fieldsType": "FieldsV1", "fieldsV1": fields_v1(owned),
    }  # fmt: skip
    return [*others, {**entry, "subresource": subresource} if subresource else entry]


def fields_v1(paths: Iterable[Path]) -> JsonObject:
    tree: JsonObject = {}
    for path in sorted(paths):
        node = tree
        for element in path:
            node = node.setdefault(element, {})
    return tree


def paths_of(tree: JsonObject, prefix: Path = ()) -> set[Path]:
    if not tree:
        return {prefix} if prefix else set()
    found: set[Path] = set()
    for element, inner in tree.items():
        found |= paths_of(inner, (*prefix, element))
    return found


def server_side_apply(live: JsonObject | None, config: JsonObject, manager: str, *, force: bool) -> JsonObject:
    """`live` after `manager` applied `config`: its fields set, those that it applied before and left out now removed.

    Raises:
        ApiError: 409, another manager owns a field with another value and `force` is false.
    """
    wanted = leaves(config)
    if live is None:
        created = deepcopy(config)
        created["metadata"]["managedFields"] = _with([], set(wanted), manager, "Apply", str(config["apiVersion"]), "")
        return created
    entries = live["metadata"].get("managedFields") or []
    mine = [e for e in entries if e["manager"] == manager and e["operation"] == "Apply"]
    others = [e for e in entries if e not in mine]
    current = leaves(live)
    disputed = {path for path, value in wanted.items() if path in current and current[path] != value}
    if not force:
        _refuse_conflicts(others, disputed)
    owned_before: set[Path] = set().union(*(paths_of(e["fieldsV1"]) for e in mine))
    owned_by_others: set[Path] = set().union(*(paths_of(e["fieldsV1"]) for e in others))
    applied = strategic_merge(live, config)
    for path in owned_before - set(wanted) - owned_by_others:
        _remove(applied, path)
    kept = _without(others, disputed)
    applied["metadata"]["managedFields"] = _with(kept, set(wanted), manager, "Apply", str(config["apiVersion"]), "")
    return applied


def _refuse_conflicts(others: list[JsonObject], disputed: set[Path]) -> None:
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{entry["manager"]}" using {entry["apiVersion"]}',
         "field": _dotted(path)}
        for entry in others
        for path in sorted(paths_of(entry.get("fieldsV1") or {}) & disputed)
    ]  # fmt: skip
    if causes:
        fields = ", ".join(f"{cause['message']}: {cause['field']}" for cause in causes)
        plural = "conflicts" if len(causes) > 1 else "conflict"
        raise ApiError(409, "Conflict", f"Apply failed with {len(causes)} {plural}: {fields}", {"causes": causes})


def _dotted(path: Path) -> str:
    text = ""
    for element in path:
        if element.startswith("f:"):
            text += f".{element[2:]}"
        else:
            key, value = next(iter(json.loads(element[2:]).items()))
            text += f"[{key}={json.dumps(value)}]"
    return text


def _remove(obj: JsonObject, path: Path) -> None:
    """Take the leaf at `path` out, and the containers that it leaves empty."""
    trail: list[tuple[Any, Any]] = []
    node: Any = obj
    for element in path:
        key: Any = element[2:]
        if element.startswith("k:"):
            name, value = next(iter(json.loads(key).items()))
            key = next((i for i, item in enumerate(node) if item.get(name) == value), None)
        if key is None or (isinstance(node, dict) and key not in node):
            return
        trail.append((node, key))
        node = node[key]
    container, key = trail.pop()
    del container[key]
    while trail and not container:
        container, key = trail.pop()
        del container[key]
