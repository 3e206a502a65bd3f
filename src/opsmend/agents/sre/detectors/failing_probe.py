"""A container runs, but its probe fails: it gets no traffic (readiness) or is restarted for it (liveness, startup)."""

import re
from typing import Any, Final, NamedTuple

from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.failures import containers, events_about, failed_run, is_failing, killed_by_probe
from opsmend.agents.sre.reading.notes import Notes
from opsmend.agents.sre.reading.revisions import (
    container_spec,
    effective_differences,
    in_words,
    last_good,
    newest_pods,
    older_pods,
    template_of_pod,
    why_good,
)
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.health import START_GRACE
from opsmend.domain.snapshot import Container, Event, Pod, Revision, Snapshot, Workload

PROBES: Final = ("liveness", "readiness", "startup")

FAILURES_THAT_COUNT: Final = 3
"""Kubernetes' own default of failureThreshold."""

_PROBE: Final = re.compile(r"(?i)\b(liveness|readiness|startup) probe (failed|errored)")
_HOW: Final = (
    ("answers with an error status", re.compile(r"(?i)status ?code:? ?(\d{3})|\b(4\d\d|5\d\d)\b")),
    ("is refused: nothing listens there", re.compile(r"(?i)refused|no route|unreachable|reset by peer")),
    ("does not answer in time", re.compile(r"(?i)time(d )?-?out|deadline|canceled while")),
    ("reports that it does not serve", re.compile(r"(?i)NOT_SERVING|not serving|service unhealthy")),
)


class _Case(NamedTuple):
    pod: Pod
    container: Container
    probe: str
    events: tuple[Event, ...]


def detect(snapshot: Snapshot) -> list[Finding]:
    """Abstains when the process ends by itself (its probe can only fail then), and for blips of pods that are ready again."""
    cases = [case for pod, container in containers(snapshot.pods) if (case := _case(snapshot, pod, container))]
    return [_finding(snapshot, cases)] if cases else []


def _case(snapshot: Snapshot, pod: Pod, container: Container) -> _Case | None:
    spec = container_spec(template_of_pod(snapshot, pod), container.name) or {}
    probes = [probe for probe in PROBES if spec.get(f"{probe}Probe")]
    killed = killed_by_probe(snapshot, pod, container) and is_failing(container, snapshot.taken_at)
    exits = is_failing(container, snapshot.taken_at) and failed_run(container) is not None and not killed
    unready = container.running and not container.ready
    if exits or not (unready or killed) or not probes:
        return None
    events = tuple(e for e in events_about(snapshot, [pod], "Unhealthy") if _PROBE.search(e.message))
    named = [match.group(1).lower() for e in reversed(events) if (match := _PROBE.search(e.message))]
    likely = [probe for probe in named if probe in probes and (not killed or probe != "readiness")]
    young = pod.created_at is not None and snapshot.taken_at - pod.created_at < START_GRACE
    if likely and (killed or not young or _failed_often_enough(spec[f"{likely[0]}Probe"], likely[0], events)):
        return _Case(pod, container, likely[0], events)
    if unready and not young and "readiness" in probes and not events:
        return _Case(pod, container, "readiness", ())
    return None


def _failed_often_enough(probe: dict[str, Any], name: str, events: tuple[Event, ...]) -> bool:
    """Before its threshold a probe has failed nothing: a program that starts may be asked before it listens."""
    failures = sum(event.count for event in events if name in event.message.lower())
    return failures >= int(probe.get("failureThreshold") or FAILURES_THAT_COUNT)


def _finding(snapshot: Snapshot, cases: list[_Case]) -> Finding:
    case = cases[0]
    spec = container_spec(template_of_pod(snapshot, case.pod), case.container.name) or {}
    probe = spec[f"{case.probe}Probe"]
    notes = Notes()
    for other in cases[:2]:
        state = "is not ready" if other.container.running else "was stopped"
        notes.add_container(other.pod, other.container, f"{state}, {other.container.restarts} restarts")
        for event in other.events[-2:]:
            notes.add_event(event)
    said = case.events[-1].message if case.events else ""
    how = next((name for name, wording in _HOW if wording.search(said)), "fails")
    place = _place(probe)
    wrong_port = _undeclared_port(spec, probe)
    if wrong_port:
        notes.add(f"container {case.container.name}", f"the probe asks {place}, the container declares {_declared(spec)}")
    ref = snapshot.workload.ref if snapshot.workload else snapshot.target.ref
    hints = _hints(snapshot, cases, probe, spec)
    return FAILURE.finding(
        resource=ref,
        summary=f"The {case.probe} probe of container {case.container.name} of {ref} ({place}) {how}",
        confidence=_confidence(case, hints, wrong_port=wrong_port),
        evidence=notes.evidence,
        hints=hints,
    )


def _confidence(case: _Case, hints: tuple[Hint, ...], *, wrong_port: bool) -> float:
    if not case.events:
        return 0.5
    return 0.9 if wrong_port else 0.8 if hints[0].remedy in (Remedy.ROLL_BACK, Remedy.CORRECT_PROBE) else 0.65


def _hints(snapshot: Snapshot, cases: list[_Case], probe: dict[str, Any], spec: dict[str, Any]) -> tuple[Hint, ...]:
    """Return to what passed; without such, the one port that the container declares; a restart for a single stuck pod."""
    workload, case = snapshot.workload, cases[0]
    if workload is None or container_spec(workload.template, case.container.name) is None:
        return (Hint(remedy=Remedy.NONE, object=snapshot.target.ref, reason="the container is not of a workload's template"),)
    good = last_good(snapshot)
    if good and _newest_is_to_blame(snapshot, good, workload, cases):
        return _return_to(snapshot, workload, good, case, probe)
    port = _only_port(spec)
    if port is not None and _undeclared_port(spec, probe):
        reason = f"{port} is the only port that container {case.container.name} declares; the probe asks {_place(probe)}"
        return (_correct(workload, case, port, reason),)
    healthy = [pod for pod in snapshot.pods if pod.ready]
    if healthy and len(cases) < len(snapshot.pods) and _ran_for_long(snapshot, case):
        reason = f"{len(healthy)} pods of the same revision pass the same probe: {len(cases)} hang"
        return (Hint(remedy=Remedy.RESTART, object=workload.ref, reason=reason),)
    reason = "neither probe nor revision changed: the program itself, or what it depends on, does not answer"
    return (Hint(remedy=Remedy.NONE, object=workload.ref, reason=reason),)


def _newest_is_to_blame(snapshot: Snapshot, good: Revision, workload: Workload, cases: list[_Case]) -> bool:
    """Whether the failing pods are all of the newest revision and none of them has been ready for long."""
    newest = newest_pods(snapshot)
    if not effective_differences(good.template, workload.template) or not all(case.pod in newest for case in cases):
        return False
    passing = any(pod.ready for pod in newest)
    return any(pod.ready for pod in older_pods(snapshot)) or not passing


def _return_to(snapshot: Snapshot, workload: Workload, good: Revision, case: _Case, probe: dict[str, Any]) -> tuple[Hint, ...]:
    changes = effective_differences(good.template, workload.template)
    reason = f"{why_good(snapshot, good)}; the newest revision changed {in_words(changes)}"
    digest = good.template_digest
    back = Hint(remedy=Remedy.ROLL_BACK, object=workload.ref, revision=good.number, template_digest=digest, reason=reason)
    old = (container_spec(good.template, case.container.name) or {}).get(f"{case.probe}Probe") or {}
    port = _port(old)
    if port is None or port == _port(probe) or not str(port).isdigit():
        return (back,)
    why = f"revision {good.number} asked port {port}; everything else of the newest revision stays"
    return back, _correct(workload, case, int(port), why)


def _correct(workload: Workload, case: _Case, port: int, reason: str) -> Hint:
    name = case.container.name
    return Hint(remedy=Remedy.CORRECT_PROBE, object=workload.ref, container=name, probe=case.probe, port=port, reason=reason)


def _ran_for_long(snapshot: Snapshot, case: _Case) -> bool:
    return case.pod.created_at is not None and snapshot.taken_at - case.pod.created_at > 10 * START_GRACE


def _handler(probe: dict[str, Any]) -> dict[str, Any]:
    return next((probe[kind] for kind in ("httpGet", "tcpSocket", "grpc") if kind in probe), {})


def _port(probe: dict[str, Any]) -> int | str | None:
    return _handler(probe).get("port")


def _place(probe: dict[str, Any]) -> str:
    if "exec" in probe:
        return f"command {' '.join(map(str, probe['exec'].get('command', [])))[:80]}"
    return f"port {_port(probe)}{_handler(probe).get('path', '')}"


def _declared(spec: dict[str, Any]) -> str:
    return ", ".join(str(port.get("containerPort")) for port in spec.get("ports") or []) or "no ports"


def _undeclared_port(spec: dict[str, Any], probe: dict[str, Any]) -> bool:
    """Whether the probe asks a port that the container does not declare, though it declares some."""
    port, declared = _port(probe), spec.get("ports") or []
    known = {str(p.get("containerPort")) for p in declared} | {p.get("name") for p in declared}
    return port is not None and bool(declared) and str(port) not in known


def _only_port(spec: dict[str, Any]) -> int | None:
    ports = [port.get("containerPort") for port in spec.get("ports") or []]
    return ports[0] if len(ports) == 1 else None


FAILURE: Final = FailureClass(
    name="failing_probe",
    rank=3,
    detect=detect,
    seen_in="pods",
    not_found="no running container fails a probe",
    restart_is_useless="new pods would fail the same probe",
)
