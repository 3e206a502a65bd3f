"""The workload is asked to run no pods while something expects it to serve."""

import re
from typing import Final

from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.notes import Notes
from opsmend.domain.changes import last_write
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.service_routing import pod_labels, selects
from opsmend.domain.snapshot import Autoscaler, Event, Snapshot, Workload
from opsmend.domain.target import Kind

_SCALED_DOWN: Final = re.compile(r"(?i)scaled down .*?to 0 from (\d+)|(?:from|replicas:?) (\d+) to 0\b")
"""The deployment controller's words, `Scaled down replica set web-1 to 0 from 6`, and an autoscaler's, `from 6 to 0`."""

_SCALED_UP: Final = re.compile(r"(?i)scaled up replica set (\S+) (?:from \d+ )?to (\d+)")


def detect(snapshot: Snapshot) -> list[Finding]:
    workload = snapshot.workload
    if workload is None or workload.desired_replicas > 0 or workload.ref.kind is Kind.DAEMON_SET:
        return []
    labels = pod_labels(workload)
    services = [s for s in snapshot.services if selects(s, labels)]
    scalers = [a for a in snapshot.autoscalers if a.scales.name == workload.ref.name and a.min_replicas > 0]
    declared = workload.applied_replicas
    notes = Notes()
    scaled = last_write(workload.writes, "spec.replicas")
    by, at = (f" by {scaled.by}", scaled.at) if scaled else ("", workload.last_change_at)
    notes.add(str(workload.ref), f"0 replicas are asked for{by}", at)
    for service in services:
        notes.add(str(service.ref), f"selects its pods and has {service.ready_endpoints} ready endpoints")
    for scaler in scalers:
        notes.add(str(scaler.ref), f"wants between {scaler.min_replicas} and {scaler.max_replicas} replicas")
    event, before = _before(snapshot, workload)
    if event:
        notes.add_event(event)
    expected = bool(services or scalers)
    hint = _hint(workload, before, declared, scalers[0] if scalers else None, expected=expected)
    refs = [*(service.ref for service in services), *(scaler.ref for scaler in scalers)]
    wanted = ", ".join(map(str, refs)) or "the alert"
    return [
        FAILURE.finding(
            resource=workload.ref,
            summary=f"{workload.ref} is scaled to zero while {wanted} expects it to run",
            confidence=0.5 if hint.remedy is Remedy.NONE else 0.9 if expected else 0.7,
            evidence=notes.evidence,
            hints=(hint,),
        )
    ]


def _hint(workload: Workload, before: int | None, declared: int | None, scaler: Autoscaler | None, *, expected: bool) -> Hint:
    """To how many replicas: what ran last, within the autoscaler's bounds; else what is declared; else the least."""
    if declared == 0:
        return Hint(
            remedy=Remedy.NONE, object=workload.ref, reason="its last applied manifest asks for 0 replicas: this is on purpose"
        )
    bounds = (scaler.min_replicas, scaler.max_replicas) if scaler else (1, None)
    told = [f"{before} ran before it was scaled down" if before else "", f"its manifest says {declared}" if declared else ""]
    told.append(f"{scaler.ref} allows {bounds[0]} to {bounds[1]}" if scaler else "")
    reason = "; ".join(filter(None, told))
    wanted = before or declared or (bounds[0] if expected else None)
    if wanted is None:
        reason = "nothing tells how many replicas there were, and neither a Service nor an autoscaler expects any"
        return Hint(remedy=Remedy.NONE, object=workload.ref, reason=reason)
    replicas = min(max(wanted, bounds[0]), bounds[1] or wanted)
    reason = reason or "nothing tells how many there were: one is the least that serves"
    return Hint(remedy=Remedy.SCALE_UP, object=workload.ref, replicas=replicas, reason=f"{replicas} replicas: {reason}")


def _before(snapshot: Snapshot, workload: Workload) -> tuple[Event | None, int | None]:
    """How many ran before, with the event that tells: the newest that goes to zero, as those of an earlier rollout are older.

    For lack of one: to how many the present revision was scaled up, or the pods that are still being stopped.
    """
    about = {
        f"{workload.ref.kind} {workload.ref.name}",
        *(f"HorizontalPodAutoscaler {a.ref.name}" for a in snapshot.autoscalers),
    }
    told = sorted((e for e in snapshot.events if e.about in about), key=lambda e: e.last_seen or snapshot.taken_at)
    down = [(event, match) for event in told if (match := _SCALED_DOWN.search(event.message))]
    if down:
        event, match = down[-1]
        return event, int(match.group(1) or match.group(2))
    current = snapshot.revisions[0].name if snapshot.revisions else ""
    up = [
        (int(match.group(2)), event)
        for event in told
        if (match := _SCALED_UP.search(event.message)) and match.group(1) == current
    ]
    if up:
        count, event = max(up, key=lambda pair: pair[0])
        return event, count
    return None, len(snapshot.pods) or None


FAILURE: Final = FailureClass(
    name="scaled_to_zero",
    rank=1,
    detect=detect,
    seen_in="workload",
    not_found="the workload asks for pods",
)
