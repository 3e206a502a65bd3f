"""The replicas are well, and carry more than they should: more of them would each carry less."""

from math import ceil
from typing import Final

from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.notes import Notes
from opsmend.agents.sre.reading.room import why_no_room
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.health import assess
from opsmend.domain.load import Load, LoadSource
from opsmend.domain.pod_requests import pod_requests
from opsmend.domain.snapshot import Snapshot, Workload
from opsmend.domain.target import Kind
from opsmend.domain.verification import Health

STEEPEST: Final = 3
"""Times more replicas than now. A load that grew so much may be an attack or a loop, and a person should look first."""
CPU_TARGET: Final = 0.8
"""Of the requested CPU, after scaling: the default target of a HorizontalPodAutoscaler."""
CPU_FULL: Final = 1.0
"""Where no rule tells, only pods that use more than all that they asked for count as overloaded: what is below is theirs."""


def detect(snapshot: Snapshot) -> list[Finding]:
    """Abstains unless all else is well: a crash is no load. Where an autoscaler sets the replicas, they are its business."""
    workload, load = snapshot.workload, needed_load(snapshot)
    if workload is None or load is None or assess(snapshot).health is not Health.HEALTHY:
        return []
    needed = replicas_needed(workload, load)
    if needed is None or needed <= workload.desired_replicas:
        return []
    hint = _hint(snapshot, workload, load, needed)
    notes = Notes()
    notes.add("prometheus" if load.source is LoadSource.RULE else "metrics", f"`{load.expression}`: {_each(workload, load)}")
    notes.add(str(workload.ref), f"{workload.ready_replicas} of {workload.desired_replicas} replicas are ready")
    return [
        FAILURE.finding(
            resource=workload.ref,
            summary=f"{workload.ref} carries too much for {workload.desired_replicas} replicas: {_each(workload, load)}",
            confidence=_confidence(workload, load),
            evidence=notes.evidence,
            hints=(hint,),
        )
    ]


def needed_load(snapshot: Snapshot) -> Load | None:
    """The load of the snapshot if it was divided by a number of replicas that the cluster knows too; else nothing follows."""
    workload, load = snapshot.workload, snapshot.load
    if workload is None or load is None:
        return None
    counts = {workload.desired_replicas, workload.replicas, workload.ready_replicas, workload.available_replicas}
    return load if load.replicas in counts - {0} else None


def replicas_needed(workload: Workload, load: Load) -> int | None:
    """The fewest with which the rule would not fire, or the CPU is at its target; None while nothing is over its limit."""
    limit = _limit(workload, load)
    if limit is None:
        return None
    if load.source is LoadSource.CPU:
        return ceil(load.total / (CPU_TARGET * limit)) if load.per_replica > CPU_FULL * limit else None
    if not load.exceeds(int(load.replicas)):
        return None
    fewest = ceil(load.total / limit)
    return fewest + 1 if load.exceeds(fewest) else fewest


def _limit(workload: Workload, load: Load) -> float | None:
    """What one replica may carry: by the rule, or the CPU that it asks for."""
    if load.source is LoadSource.RULE:
        return load.limit or None
    request = pod_requests(workload.template).get("cpu")
    return float(request) if request else None


def _confidence(workload: Workload, load: Load) -> float:
    """A rule says what a replica may carry, CPU only hints at it; and not every StatefulSet shares its load."""
    return (0.85 if load.source is LoadSource.RULE else 0.65) - (0.15 if workload.ref.kind is Kind.STATEFUL_SET else 0.0)


def _each(workload: Workload, load: Load) -> str:
    limit = _limit(workload, load) or 0.0
    allowed = "the alert's" if load.source is LoadSource.RULE else "the requested"
    total = f"{_number(load.total)}{load.unit} in all"
    return f"{total}, {_number(load.per_replica)} each of {load.replicas:g}, over {allowed} {limit:g}"


def _hint(snapshot: Snapshot, workload: Workload, load: Load, needed: int) -> Hint:
    reason = _why_so_many(workload, load, needed)
    if snapshot.autoscalers:
        return _nothing(workload, f"{reason}; but {snapshot.autoscalers[0].ref} sets the number of replicas")
    if needed > STEEPEST * workload.desired_replicas:
        return _nothing(
            workload, f"{reason}; that is more than {STEEPEST} times the {workload.desired_replicas} of now: a person decides"
        )
    if full := why_no_room(snapshot, workload.template, needed - workload.desired_replicas):
        return _nothing(workload, f"{reason}; but {full}")
    return Hint(remedy=Remedy.SCALE_UP, object=workload.ref, replicas=needed, reason=reason)


def _why_so_many(workload: Workload, load: Load, needed: int) -> str:
    """`57.0/s in all; 5 replicas would still have 11.4 each, over the alert's 10; 6 have 9.5`."""
    limit = _limit(workload, load) or 0.0
    fewer = max(needed - 1, 1)
    bound = (
        f"over the alert's {limit:g}"
        if load.source is LoadSource.RULE
        else f"over {CPU_TARGET:.0%} of the {limit:g} that each asks for"
    )
    total = f"{_number(load.total)}{load.unit} in all"
    still = f"{fewer} replicas would still have {_number(load.total / fewer)} each, {bound}"
    return f"{total}; {still}; {needed} have {_number(load.total / needed)}"


def _number(measured: float) -> str:
    return f"{measured:.1f}" if measured >= 1 else f"{measured:.3g}"


def _nothing(workload: Workload, reason: str) -> Hint:
    return Hint(remedy=Remedy.NONE, object=workload.ref, reason=reason)


FAILURE: Final = FailureClass(
    name="overloaded",
    rank=5,
    detect=detect,
    seen_in="load",
    not_found="its replicas carry no more than they may",
    restart_is_useless="new pods would carry the same load",
)
