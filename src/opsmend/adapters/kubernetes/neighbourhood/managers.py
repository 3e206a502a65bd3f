"""Who wrote a field of an object, by its managedFields.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from opsmend.adapters.kubernetes.neighbourhood.fields import moment, text
from opsmend.domain.record import JsonObject

_CONTENT = ("f:spec", "f:data", "f:binaryData")


def writer_since(obj: JsonObject, paths: Iterable[str], us: str) -> tuple[str, datetime | None]:
    """Manager and time of the newest write of any of `paths` (JSON pointers into `obj`) since that of the manager `us`.

    A field that is gone has no owner any more: then of the newest write of content at all after ours. Empty when nobody can be
    named; an earlier writer is never blamed.
    """
    entries = [e for e in obj["metadata"].get("managedFields") or () if e.get("subresource", "") != "status"]
    ours = max((at for e in entries if e.get("manager") == us and (at := moment(e.get("time")))), default=None)
    wanted = [path.split("/")[1:] for path in paths if path]
    others = [(at, e) for e in entries if e.get("manager") != us and (at := moment(e.get("time")))]
    owners = [(at, e) for at, e in others if (not ours or at >= ours) and _owns_any(e, obj, wanted)]
    writers = [(at, e) for at, e in others if ours and at > ours and _wrote_content(e)]
    if not owners and not writers:
        return "", None
    at, entry = max(owners or writers, key=lambda found: found[0])
    return text(entry.get("manager"), 128), at


def _owns_any(entry: JsonObject, obj: JsonObject, wanted: list[list[str]]) -> bool:
    return any(_owns(entry.get("fieldsV1") or {}, obj, parts) for parts in wanted)


def _wrote_content(entry: JsonObject) -> bool:
    return any(part in (entry.get("fieldsV1") or {}) for part in _CONTENT)


def _owns(fields: JsonObject, value: Any, parts: list[str]) -> bool:
    """Whether `fields` (FieldsV1) reach what `parts` lead to in `value`, or hold something around it as a whole."""
    for part in parts:
        if not fields:
            return True
        if isinstance(value, list):
            value = value[int(part)] if part.isdigit() and int(part) < len(value) else None
            element = next((key for key in fields if _is_element(key, value)), None)
        else:
            name = part.replace("~1", "/").replace("~0", "~")
            value = value.get(name) if isinstance(value, dict) else None
            element = f"f:{name}" if f"f:{name}" in fields else None
        if element is None:
            return False
        fields = fields[element]
    return True


def _is_element(key: str, item: Any) -> bool:
    """Whether a list element's key (`k:{"name":"web"}`, `v:"x"`) is that of `item`."""
    kind, _, text_of_key = key.partition(":")
    if kind not in ("k", "v"):
        return False
    try:
        wanted = json.loads(text_of_key)
    except (ValueError, RecursionError):
        return False
    if kind == "v":
        return bool(wanted == item)
    return (
        isinstance(item, dict) and isinstance(wanted, dict) and all(item.get(name) == value for name, value in wanted.items())
    )
