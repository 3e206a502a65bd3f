"""The kernel kills a container at its memory limit."""

from decimal import Decimal
from typing import Final

from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.failures import containers, failed_run, is_failing, killed_by_probe
from opsmend.agents.sre.reading.notes import Notes
from opsmend.agents.sre.reading.revisions import container_spec, effective_differences, last_good, template_of_pod, why_good
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.quantity import as_memory, quantity
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Container, Pod, Revision, Snapshot, Workload

SIGKILLED: Final = 137
GROWTH: Final = 2
"""A limit that never was enough is doubled: what the container needs is only known to be more than the limit, and doubling
reaches any need in few steps while it stays below the fourfold that Security asks about."""
RAISES_BEFORE_LEAK: Final = 2
"""Raised twice before and killed again: then more memory only delays the next kill."""


def detect(snapshot: Snapshot) -> list[Finding]:
    """Needs the kubelet's word (OOMKilled), or a SIGKILL that nobody else can have sent to a container with a limit."""
    killed: dict[str, list[tuple[Pod, Container]]] = {}
    for pod, container in containers(snapshot.pods):
        if is_failing(container, snapshot.taken_at) and _was_killed_for_memory(snapshot, pod, container):
            killed.setdefault(container.name, []).append((pod, container))
    return [_finding(snapshot, cases) for cases in killed.values()]


def _was_killed_for_memory(snapshot: Snapshot, pod: Pod, container: Container) -> bool:
    run = failed_run(container)
    if run is None:
        return False
    if run.reason == "OOMKilled":
        return True
    limited = _limit(template_of_pod(snapshot, pod), container.name) is not None
    return run.exit_code == SIGKILLED and limited and container.restarts >= 2 and not killed_by_probe(snapshot, pod, container)


def _limit(holder: JsonObject, name: str) -> Decimal | None:
    """The memory limit of the container in a pod or pod template."""
    return quantity((((container_spec(holder, name) or {}).get("resources") or {}).get("limits") or {}).get("memory"))


def _finding(snapshot: Snapshot, cases: list[tuple[Pod, Container]]) -> Finding:
    notes = Notes()
    pod, container = cases[0]
    limit = _limit(template_of_pod(snapshot, pod), container.name)
    sure = any((run := failed_run(c)) is not None and run.reason == "OOMKilled" for _, c in cases)
    for case_pod, case in cases[:2]:
        run = failed_run(case)
        if run is not None:
            said = f"{run.reason or 'killed'}, exit code {run.exit_code}, {case.restarts} restarts, memory limit"
            notes.add_container(case_pod, case, f"{said} {as_memory(limit) if limit else 'none'}", run.finished_at)
    ref = snapshot.workload.ref if snapshot.workload else snapshot.target.ref
    bound = f"its limit of {as_memory(limit)}" if limit else "its node has"
    return FAILURE.finding(
        resource=ref,
        summary=f"Container {container.name} of {ref} needs more memory than {bound}",
        confidence=0.95 if sure else 0.6,
        evidence=notes.evidence,
        hints=_hints(snapshot, container, limit),
    )


def _hints(snapshot: Snapshot, container: Container, limit: Decimal | None) -> tuple[Hint, ...]:
    workload = snapshot.workload
    if workload is None or limit is None or container_spec(workload.template, container.name) is None:
        why = (
            "it has no limit of its own: the node ran out of memory" if limit is None else "it is not of a workload's template"
        )
        return (Hint(remedy=Remedy.NONE, object=snapshot.target.ref, reason=why),)
    good = last_good(snapshot)
    before = _limit(good.template, container.name) if good else None
    if good and (before is None or before > limit):
        return _return_to(snapshot, workload, good, container, limit, before)
    raised = _earlier_raises(snapshot, container.name)
    if len(raised) > RAISES_BEFORE_LEAK:
        steps = " → ".join(as_memory(step) for step in raised)
        reason = f"the limit was raised before ({steps}) and is reached again: this looks like a leak"
        return (Hint(remedy=Remedy.NONE, object=workload.ref, reason=reason),)
    hints = [_raise(snapshot, workload, container, limit)]
    if good and _image_changed(good, workload, container.name):
        reason = f"{why_good(snapshot, good)} within the same {as_memory(limit)}, before its image changed"
        hints.insert(0, _roll_back(workload, good, reason))
    return tuple(hints)


def _return_to(
    snapshot: Snapshot, workload: Workload, good: Revision, container: Container, limit: Decimal, before: Decimal | None
) -> tuple[Hint, ...]:
    """The revision lowered the limit (or set the first one): the value that ran is known."""
    told = as_memory(before) if before else "no limit"
    reason = f"{why_good(snapshot, good)} with {told}; revision {snapshot.revisions[0].number} has {as_memory(limit)}"
    back = _roll_back(workload, good, reason)
    if before is None:
        return (back,)
    raised = _hint(workload, container, before, limit, f"{reason}, so {told} is what it is known to run with, not a guess")
    only_resources = all("/resources/" in change.path for change in effective_differences(good.template, workload.template))
    return (back, raised) if only_resources else (raised, back)


def _raise(snapshot: Snapshot, workload: Workload, container: Container, limit: Decimal) -> Hint:
    wanted = limit * GROWTH
    room = max((quantity(node.allocatable.get("memory")) or Decimal(0) for node in snapshot.nodes), default=None)
    if room is not None and wanted > room:
        reason = f"twice {as_memory(limit)} would be {as_memory(wanted)}, more than the largest node offers ({as_memory(room)})"
        return Hint(remedy=Remedy.NONE, object=workload.ref, reason=reason)
    reason = (
        f"killed at {as_memory(limit)} ({container.restarts} restarts), so it needs more than that by an unknown amount; "
        f"{as_memory(wanted)} is the next doubling, and the smallest step that a second raise does not have to follow soon"
    )
    return _hint(workload, container, wanted, limit, reason)


def _hint(workload: Workload, container: Container, wanted: Decimal, limit: Decimal, reason: str) -> Hint:
    """Raises the request as well where it equals the limit, so that the pod keeps its quality-of-service class."""
    spec = container_spec(workload.template, container.name) or {}
    request = quantity(((spec.get("resources") or {}).get("requests") or {}).get("memory"))
    return Hint(
        remedy=Remedy.RAISE_MEMORY,
        object=workload.ref,
        container=container.name,
        memory_limit=as_memory(wanted),
        memory_request=as_memory(wanted) if request == limit else None,
        reason=reason,
    )


def _roll_back(workload: Workload, good: Revision, reason: str) -> Hint:
    digest = good.template_digest
    return Hint(remedy=Remedy.ROLL_BACK, object=workload.ref, revision=good.number, template_digest=digest, reason=reason)


def _image_changed(good: Revision, workload: Workload, name: str) -> bool:
    before, after = container_spec(good.template, name), container_spec(workload.template, name)
    return bool(before and after and before.get("image") != after.get("image"))


def _earlier_raises(snapshot: Snapshot, name: str) -> list[Decimal]:
    """The distinct limits of the revisions, oldest first, as long as each is higher than the one before."""
    rising: list[Decimal] = []
    for revision in reversed(snapshot.revisions):
        limit = _limit(revision.template, name)
        if limit is None or (rising and limit < rising[-1]):
            rising = []
        if limit is not None and limit not in rising:
            rising.append(limit)
    return rising


FAILURE: Final = FailureClass(
    name="out_of_memory",
    rank=2,
    detect=detect,
    seen_in="pods",
    not_found="no container was killed at its memory limit",
    restart_is_useless="new pods would be killed at the same limit",
    scaling_is_useless="every replica has its own limit, and what fills it may not be shared load",
)
