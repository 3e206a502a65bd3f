"""Events about the objects of the neighbourhood.

All of the namespace but routine come in one call, those about its other objects are dropped. Where they are more than a page,
a call an object is cheaper: the API keeps events by name, so that nobody knows on which page ours would be.
"""

import asyncio
from typing import Any, Final

from opsmend.adapters.kubernetes.neighbourhood.fields import moment, text
from opsmend.adapters.kubernetes.reading import Objects, Reading
from opsmend.adapters.kubernetes.resources import EVENTS
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Event
from opsmend.domain.target import Kind, ObjectRef

EVENTS_KEPT: Final = 60
_PER_OBJECT: Final = 100
_SICK_ASKED: Final = 3
"""Sick pods that are asked about one by one: siblings of one revision fail alike."""
_ROUTINE: Final = (
    *("Scheduled", "Pulling", "Pulled", "Created", "Started", "Killing", "SuccessfulAttachVolume"),
    *("SuccessfulCreate", "SuccessfulDelete", "Completed"),
)
"""Reasons of normal events that every pod has that comes and goes."""
_TELL_BY_ROUTINE: Final = frozenset({Kind.POD, Kind.JOB, Kind.CRON_JOB, Kind.NODE})
"""Kinds of which even those are worth reading, when one is the target."""
_KILLING_PROBES: Final = ("liveness probe", "startup probe")
"""Of which the kubelet warns (Unhealthy). That it then ends the container is routine by its reason (Killing)."""


async def read_events(
    reading: Reading, own: list[ObjectRef], around: list[ObjectRef], sick: list[ObjectRef]
) -> tuple[Event, ...]:
    """Newest first: what is told of `own`, of `around` and of the pods `sick`; routine only of `own`, where it tells."""
    alone = [ref for ref in own if ref.kind in _TELL_BY_ROUTINE]
    others = [ref for ref in (*own, *around) if ref not in alone]
    notable, *batches = await asyncio.gather(
        _notable(reading, own[0].namespace, others, sick), *(_about(reading, ref) for ref in alone)
    )
    probed = [ref for ref in sick if any(_is_about(item, ref) and _tells_of_a_killing_probe(item) for item in notable)]
    killings = await _about(reading, probed[0]) if probed else []
    unique = {item["metadata"]["name"]: item for batch in (*batches, notable, killings) for item in batch}
    events = [_event_from(item) for item in unique.values()]
    events.sort(key=lambda event: event.last_seen.timestamp() if event.last_seen else 0.0, reverse=True)
    return tuple(events[:EVENTS_KEPT])


async def read_events_of(reading: Reading, ref: ObjectRef) -> tuple[Event, ...]:
    """Those about one object. One call."""
    return tuple(map(_event_from, await _about(reading, ref)))


def _tells_of_a_killing_probe(item: JsonObject) -> bool:
    return any(probe in str(item.get("message")).lower() for probe in _KILLING_PROBES)


async def _notable(reading: Reading, namespace: str, others: list[ObjectRef], sick: list[ObjectRef]) -> Objects:
    if not others and not sick:
        return []
    page = reading.first_page(EVENTS, namespace, fields=",".join(f"reason!={reason}" for reason in _ROUTINE))
    none: tuple[Objects, bool] = ([], True)
    items, complete = await reading.attempt(f"events of {namespace}", page, none)
    if complete:
        return [item for item in items if any(_is_about(item, ref) for ref in (*others, *sick))]
    few = (*(ref for ref in others if ref.kind is not Kind.POD), *sick[:_SICK_ASKED])
    found = await asyncio.gather(*(_about(reading, ref) for ref in few))
    return [item for batch in found for item in batch]


async def _about(reading: Reading, ref: ObjectRef) -> Objects:
    # Events about cluster-scoped objects are kept in the namespace `default`.
    namespace = ref.namespace or "default"
    fields = f"involvedObject.kind={ref.kind},involvedObject.name={ref.name}"
    items = await reading.attempt(f"events of {ref}", reading.list(EVENTS, namespace, fields=fields, limit=_PER_OBJECT), [])
    return [item for item in items if _is_about(item, ref)]


def _is_about(item: JsonObject, ref: ObjectRef) -> bool:
    involved = item.get("involvedObject") or {}
    return (involved.get("kind"), involved.get("name")) == (str(Kind(ref.kind)), ref.name)


def _event_from(item: dict[str, Any]) -> Event:
    series = item.get("series") or {}
    involved = item["involvedObject"]
    last_seen = series.get("lastObservedTime") or item.get("lastTimestamp") or item.get("eventTime")
    return Event(
        about=f"{involved['kind']} {involved['name']}",
        type=item.get("type") or "Normal",
        reason=(item.get("reason") or "")[:128],
        message=text(item.get("message")),
        count=series.get("count") or item.get("count") or 1,
        first_seen=moment(item.get("firstTimestamp") or item.get("eventTime")),
        last_seen=moment(last_seen),
        source=((item.get("source") or {}).get("component") or item.get("reportingComponent") or "")[:128],
    )
