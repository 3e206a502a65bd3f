"""The other workloads of a namespace: how many pods they ask for, since when, and who asked."""

import asyncio
import re
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from opsmend.adapters.kubernetes.neighbourhood.fields import applied_replicas, last_write, moment, ref_of
from opsmend.adapters.kubernetes.reading import Reading
from opsmend.adapters.kubernetes.resources import EVENTS
from opsmend.domain.actions.workload_fields import desired_replicas, template_of
from opsmend.domain.neighbour import Neighbour
from opsmend.domain.record import JsonObject
from opsmend.domain.target import Kind, ObjectRef

_SCALED_UP: Final = re.compile(r"(?i)scaled up .*?(?:from (\d+) to (\d+)|to (\d+)(?: from (\d+))?)$")
"""Of the deployment controller: `Scaled up replica set web-1 to 6 from 1`; without `from` where there were none before."""

_SCALED_DOWN: Final = re.compile(r"(?i)scaled down ")
_ROLLOUT: Final = timedelta(minutes=15)
"""A set that is scaled down so near in time was replaced by the one that grew."""

_KINDS: Final = (Kind.DEPLOYMENT, Kind.STATEFUL_SET)


class _Growth(NamedTuple):
    at: datetime
    to: int
    before: int | None


async def read_neighbours(reading: Reading, namespace: str) -> tuple[Neighbour, ...]:
    """Workloads, autoscalers and scaling events of the namespace; what cannot be read is noted as unseen."""
    autoscaler = Kind.HORIZONTAL_POD_AUTOSCALER
    *workloads, autoscalers, events = await asyncio.gather(
        *(reading.attempt(f"{kind}s of {namespace}", reading.list(kind, namespace), []) for kind in _KINDS),
        reading.attempt("autoscalers", reading.list(autoscaler, namespace), []),
        reading.attempt("scaling events", reading.list(EVENTS, namespace, fields="reason=ScalingReplicaSet,type=Normal"), []),
    )
    scalers = {_scaled(item): ref_of(autoscaler, item) for item in autoscalers}
    return tuple(
        _neighbour(ref_of(kind, item), item, events, scalers)
        for kind, items in zip(_KINDS, workloads, strict=True)
        for item in items
    )


def _neighbour(
    ref: ObjectRef, obj: JsonObject, events: list[JsonObject], scalers: dict[tuple[str, str], ObjectRef]
) -> Neighbour:
    scaled_at, scaled_by = last_write(obj, "spec", "replicas")
    growth = _newest_growth(ref, events)
    return Neighbour(
        ref=ref,
        replicas=desired_replicas({**obj, "kind": str(ref.kind)}),
        template=_resources_alone(template_of(obj)),
        scaled_at=scaled_at,
        scaled_by=scaled_by,
        replicas_before=growth.before if growth else None,
        grown_at=growth.at if growth else None,
        applied_replicas=applied_replicas(obj),
        autoscaler=scalers.get((str(ref.kind), ref.name)),
    )


def _newest_growth(ref: ObjectRef, events: list[JsonObject]) -> _Growth | None:
    """By the events of the workload; None where it is of a rollout, which scales one set up and another down."""
    about = (str(ref.kind), ref.name)
    own = [e for e in events if (e["involvedObject"].get("kind"), e["involvedObject"].get("name")) == about]
    growths = [growth for event in own if (growth := _growth(event))]
    # Times have whole seconds: of two within one, the greater number came later.
    growth = max(growths, key=lambda one: (one.at, one.to), default=None)
    if growth is None:
        return None
    downs = [at for event in own if _SCALED_DOWN.search(event.get("message") or "") and (at := _when(event))]
    return None if any(abs(at - growth.at) < _ROLLOUT for at in downs) else growth


def _growth(event: JsonObject) -> _Growth | None:
    match, at = _SCALED_UP.search(event.get("message") or ""), _when(event)
    if match is None or at is None:
        return None
    before = match.group(1) or match.group(4)
    return _Growth(at, int(match.group(2) or match.group(3)), int(before) if before else None)


def _when(event: JsonObject) -> datetime | None:
    return moment((event.get("series") or {}).get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime"))


def _scaled(autoscaler: JsonObject) -> tuple[str, str]:
    reference = autoscaler["spec"].get("scaleTargetRef") or {}
    return str(reference.get("kind")), str(reference.get("name"))


def _resources_alone(template: JsonObject) -> JsonObject:
    """What quotas count of a template. The rest is of no concern, and environment variables may hold secrets."""
    spec = template.get("spec") or {}
    kept: JsonObject = {
        part: [{"name": c["name"], "resources": c.get("resources") or {}, **_restart_policy(c)} for c in spec.get(part) or ()]
        for part in ("containers", "initContainers")
    }
    return {"spec": kept | ({"overhead": spec["overhead"]} if spec.get("overhead") else {})}


def _restart_policy(container: JsonObject) -> JsonObject:
    return {"restartPolicy": container["restartPolicy"]} if container.get("restartPolicy") else {}
