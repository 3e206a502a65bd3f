"""Who wrote which fields of an object last, from its managedFields. Bookkeeping is left out: it tells of no change."""

import json
from collections.abc import Iterator
from typing import Any, Final

from opsmend.adapters.kubernetes.neighbourhood.fields import moment, text
from opsmend.domain.actions.object_digest import LAST_APPLIED_ANNOTATION, MARKER_ANNOTATION
from opsmend.domain.changes import FieldWrite
from opsmend.domain.record import JsonObject

WRITES_KEPT: Final = 6
"""Managers of one object, those that wrote last. Anybody may add managers by server-side apply."""
FIELDS_KEPT: Final = 8
"""Fields named of one write: above that it is told what they lie in."""

_DEPTH: Final = 12
"""Levels that are followed: an environment variable of a pod template lies on the seventh."""
_NAME_LIMIT: Final = 128

_Path = tuple[str, ...]

_BOOKKEEPING: Final[tuple[_Path, ...]] = (
    ("status",),
    ("metadata", "finalizers"),
    ("metadata", "ownerReferences"),
    ("metadata", "annotations", "deployment.kubernetes.io/revision"),
    ("metadata", "annotations", "node.alpha.kubernetes.io/ttl"),
    ("metadata", "annotations", "volumes.kubernetes.io/controller-managed-attach-detach"),
    ("metadata", "annotations", LAST_APPLIED_ANNOTATION),
    ("metadata", "annotations", MARKER_ANNOTATION),
    ("spec", "podCIDR"),
    ("spec", "podCIDRs"),
    ("spec", "providerID"),
)


def writes_of(obj: JsonObject) -> tuple[FieldWrite, ...]:
    """Newest first. What is written by way of the subresource `scale` counts, what by way of `status` does not."""
    created = moment(obj["metadata"].get("creationTimestamp"))
    found = []
    for entry in obj["metadata"].get("managedFields") or ():
        at, fields = moment(entry.get("time")), _fields(entry.get("fieldsV1") or {})
        if at and fields and entry.get("subresource", "") != "status":
            by = text(entry.get("manager"), _NAME_LIMIT)
            applied = entry.get("operation") == "Apply"
            found.append(FieldWrite(by=by, at=at, fields=fields, created=at == created, applied=applied))
    return tuple(sorted(found, key=lambda write: write.at, reverse=True)[:WRITES_KEPT])


def _fields(tree: JsonObject) -> tuple[str, ...]:
    paths = [path for path in _leaves(tree, ()) if not any(path[: len(known)] == known for known in _BOOKKEEPING)]
    for depth in range(_DEPTH, 0, -1):
        shortened = tuple(dict.fromkeys(path[:depth] for path in paths))
        if len(shortened) <= FIELDS_KEPT:
            return tuple(text(_joined(path), _NAME_LIMIT) for path in shortened)
    return ()


def _leaves(tree: Any, path: _Path) -> Iterator[_Path]:
    """`.` stands for the map or list itself, beside what is in it."""
    inner = {key: value for key, value in tree.items() if key != "."} if isinstance(tree, dict) else {}
    if not inner or len(path) == _DEPTH:
        yield path
        return
    for key, value in inner.items():
        yield from _leaves(value, (*path, _step(key)))


def _step(key: str) -> str:
    """`f:name` is a field, `k:{…}` an item of a list by its keys, `v:…` by its value, `i:…` by its position."""
    kind, _, name = key.partition(":")
    return name if kind == "f" else f"[{_item(name)}]"


def _item(name: str) -> str:
    try:
        keys = json.loads(name)
    except (ValueError, RecursionError):
        return name
    return ",".join(map(str, keys.values())) if isinstance(keys, dict) else str(keys)


def _joined(path: _Path) -> str:
    return ".".join(path).replace(".[", "[")
