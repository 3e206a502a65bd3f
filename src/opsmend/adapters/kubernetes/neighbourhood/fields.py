"""Fields that all objects have."""

import json
from datetime import datetime
from typing import Any, Final

from opsmend.domain.actions.object_digest import LAST_APPLIED_ANNOTATION
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Condition
from opsmend.domain.target import Kind, ObjectRef
from opsmend.policy.redaction import redact

MESSAGE_LIMIT: Final = 1024
"""Characters of a message of the cluster's that are kept; Kubernetes itself cuts event messages at 1024."""


def text(value: Any, limit: int = MESSAGE_LIMIT) -> str:
    """A message from outside, redacted and bounded. Cut twice: a secret cut in half would not be recognised."""
    return redact(str(value)[: 2 * limit])[:limit] if value else ""


def moment(value: Any) -> datetime | None:
    """A timestamp of the API, None when absent or unreadable."""
    try:
        return datetime.fromisoformat(value) if value else None
    except (TypeError, ValueError):
        return None


def ref_of(kind: Kind, obj: JsonObject) -> ObjectRef:
    metadata = obj["metadata"]
    return ObjectRef(kind=kind, namespace=metadata.get("namespace", ""), name=metadata["name"])


def conditions_of(obj: JsonObject) -> tuple[Condition, ...]:
    return tuple(
        Condition(
            type=condition["type"],
            status=condition.get("status", "Unknown"),
            reason=condition.get("reason") or "",
            message=text(condition.get("message")),
            since=moment(condition.get("lastTransitionTime")),
        )
        for condition in obj.get("status", {}).get("conditions") or ()
    )


def last_write(obj: JsonObject, *path: str) -> tuple[datetime | None, str]:
    """When and by which manager `path` (`spec`, or `spec`, `replicas`) was last written; status writes do not count.

    From managedFields, which keep a time for all fields of a manager together.
    """
    writes = [
        (at, str(entry.get("manager", ""))[:128])
        for entry in obj["metadata"].get("managedFields") or ()
        if entry.get("subresource", "") != "status" and _owns(entry, path) and (at := moment(entry.get("time")))
    ]
    return max(writes, default=(None, ""))


def _owns(entry: JsonObject, path: tuple[str, ...]) -> bool:
    fields: Any = entry.get("fieldsV1") or {}
    for field in path:
        if not isinstance(fields, dict) or f"f:{field}" not in fields:
            return False
        fields = fields[f"f:{field}"]
    return True


def last_applied(obj: JsonObject, part: str) -> JsonObject | None:
    """`part` (`spec`, `data`) of the manifest that was last given to `kubectl apply`; None where there is no such manifest.

    Anybody may write into an annotation, so that what is no JSON of an object declares nothing.
    """
    annotation = (obj["metadata"].get("annotations") or {}).get(LAST_APPLIED_ANNOTATION)
    if annotation is None:
        return None
    try:
        manifest = json.loads(annotation)
    except (ValueError, RecursionError):
        return None
    declared = (manifest.get(part) or {}) if isinstance(manifest, dict) else None
    return declared if isinstance(declared, dict) else None


def applied_replicas(obj: JsonObject) -> int | None:
    """How many replicas the manifest that was last given to `kubectl apply` asks for."""
    replicas = (last_applied(obj, "spec") or {}).get("replicas")
    return replicas if type(replicas) is int else None


HASH_LABEL: Final = "pod-template-hash"
"""Which the Deployment controller puts on ReplicaSets and their pods."""


def controller_of(obj: JsonObject) -> JsonObject | None:
    """The owner reference that controls `obj`."""
    owners: list[JsonObject] = obj["metadata"].get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), None)


def selector_text(selector: JsonObject) -> str:
    """A LabelSelector as the API takes it in a query; empty when it selects nothing in particular."""
    parts = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for rule in selector.get("matchExpressions") or ():
        key, operator, values = rule["key"], rule["operator"], ",".join(rule.get("values") or ())
        parts.append(
            {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key, "DoesNotExist": f"!{key}"}[
                operator
            ]
        )
    return ",".join(parts)
