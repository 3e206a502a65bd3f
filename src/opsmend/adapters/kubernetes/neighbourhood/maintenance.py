"""Planned maintenance that annotations declare."""

from datetime import UTC, datetime
from typing import Final

from opsmend.adapters.kubernetes.neighbourhood.fields import text
from opsmend.adapters.kubernetes.reading import Reading
from opsmend.domain.maintenance import REASON_ANNOTATION, UNTIL_ANNOTATION, Maintenance
from opsmend.domain.record import JsonObject
from opsmend.domain.target import Kind, ObjectRef
from opsmend.errors import TargetGoneError

_UNTIL_LIMIT: Final = 64
_REASON_LIMIT: Final = 200


async def read_namespace_maintenance(reading: Reading, namespace: str) -> Maintenance | None:
    ref = ObjectRef(kind=Kind.NAMESPACE, name=namespace)
    return await reading.attempt(f"maintenance of {ref}", _declared(reading, ref), None)


async def _declared(reading: Reading, ref: ObjectRef) -> Maintenance | None:
    try:
        return maintenance_of(ref, await reading.object(ref))
    except TargetGoneError:
        return None


def maintenance_of(ref: ObjectRef, obj: JsonObject) -> Maintenance | None:
    """What the annotations of `obj` say of maintenance, believable or not."""
    annotations = obj["metadata"].get("annotations") or {}
    if UNTIL_ANNOTATION not in annotations:
        return None
    until = text(annotations[UNTIL_ANNOTATION], _UNTIL_LIMIT)
    return Maintenance(
        declared_on=ref,
        until_text=until,
        until=_utc(until),
        reason=text(annotations.get(REASON_ANNOTATION), _REASON_LIMIT),
    )


def _utc(value: str) -> datetime | None:
    """None for what is no time, and for a time that does not say in which zone."""
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
