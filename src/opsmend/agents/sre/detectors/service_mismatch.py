"""A Service does not reach the pods that it is meant for: wrong selector, or a target port that no container has."""

from typing import Final

from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.notes import Notes
from opsmend.agents.sre.reading.revisions import last_good, why_good
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.service_routing import Fault, RoutingFault, container_ports, pod_labels, routing_faults, selects
from opsmend.domain.snapshot import Revision, Service, Snapshot, Workload


def detect(snapshot: Snapshot) -> list[Finding]:
    """An undeclared port number counts when the alert is about that Service or the Service was changed lately."""
    workload = snapshot.workload
    if workload is None:
        return []
    faults = [f for f in routing_faults(snapshot) if f.certain or f.service.ref == snapshot.target.ref]
    return [_finding(snapshot, workload, fault) for fault in faults]


def _finding(snapshot: Snapshot, workload: Workload, fault: RoutingFault) -> Finding:
    service = fault.service
    notes = Notes()
    endpoints = f"{service.ready_endpoints} ready and {service.not_ready_endpoints} unready endpoints"
    notes.add(
        str(service.ref),
        f"selects {_pairs(service.selector)}, has {endpoints if service.endpoints_seen else 'endpoints that were not seen'}",
        service.changed_at,
    )
    if fault.fault is Fault.SELECTOR:
        what = f"selects {_pairs(service.selector)}, the pods carry {_pairs(pod_labels(workload))}"
        notes.add(str(workload.ref), f"gives its pods the labels {_pairs(pod_labels(workload))}")
    else:
        target = fault.port.target_port if fault.port else ""
        what = f"sends to port {target}, the containers declare {_ports(workload)}"
        notes.add(str(workload.ref), f"its containers declare {_ports(workload)}")
    sure = fault.fault is not Fault.PORT_NUMBER
    return FAILURE.finding(
        resource=service.ref,
        summary=f"{service.ref} does not reach {workload.ref}: it {what}",
        confidence=0.9 if sure else 0.7 if fault.certain else 0.6,
        evidence=notes.evidence,
        hints=_hints(snapshot, workload, fault),
    )


def _hints(snapshot: Snapshot, workload: Workload, fault: RoutingFault) -> tuple[Hint, ...]:
    """If the newest revision took away what the Service uses, going back; the Service's own correction in any case."""
    hints = []
    good = last_good(snapshot)
    if good and _fits(fault, good):
        reason = f"{why_good(snapshot, good)} and {fault.service.ref} fits it; the newest revision changed labels or ports"
        digest = good.template_digest
        back = Hint(remedy=Remedy.ROLL_BACK, object=workload.ref, revision=good.number, template_digest=digest, reason=reason)
        hints.append(back)
    correction = _select(workload, fault.service) if fault.fault is Fault.SELECTOR else _send(workload, fault)
    if correction:
        hints.append(correction)
    nothing = Hint(remedy=Remedy.NONE, object=fault.service.ref, reason="several ports could be meant: a person has to choose")
    return tuple(hints) or (nothing,)


def _fits(fault: RoutingFault, revision: Revision) -> bool:
    labels = {str(k): str(v) for k, v in ((revision.template.get("metadata") or {}).get("labels") or {}).items()}
    if fault.fault is Fault.SELECTOR:
        return selects(fault.service, labels)
    known = {str(p.get("containerPort")) for p in container_ports(revision.template)}
    known |= {str(p.get("name")) for p in container_ports(revision.template)}
    return fault.port is not None and str(fault.port.target_port) in known


def _select(workload: Workload, service: Service) -> Hint:
    """The Service's own keys with the pods' values; keys that pods lack give way to those by which the workload selects."""
    labels = pod_labels(workload)
    selector = {key: labels[key] for key in service.selector if key in labels}
    if selector.keys() != service.selector.keys() or not selector:
        selector |= {key: labels.get(key, value) for key, value in workload.selector.items()}
    reason = f"the pods of {workload.ref} carry {_pairs(selector)}, and {workload.ref} selects by {_pairs(workload.selector)}"
    return Hint(remedy=Remedy.CORRECT_SERVICE, object=service.ref, selector=selector, reason=reason)


def _send(workload: Workload, fault: RoutingFault) -> Hint | None:
    """The declared port that the Service port can only mean: of the same name, of the same number, or the only one."""
    port = fault.port
    if port is None:
        return None
    declared = [p for p in container_ports(workload.template) if p.get("protocol", "TCP") == port.protocol]
    for why, candidates in (
        (f"is named {port.name} too", [p for p in declared if port.name and p.get("name") == port.name]),
        (f"has the Service port's own number {port.port}", [p for p in declared if p.get("containerPort") == port.port]),
        ("is the only one declared", declared),
    ):
        if len(candidates) == 1:
            number = int(candidates[0]["containerPort"])
            name = port.name or str(port.port)
            reason = f"container port {number} {why}; {fault.service.ref} sends to {port.target_port}"
            return Hint(remedy=Remedy.CORRECT_SERVICE, object=fault.service.ref, port_name=name, port=number, reason=reason)
    return None


def _pairs(labels: dict[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items())) or "nothing"


def _ports(workload: Workload) -> str:
    ports = [f"{p.get('name', '')}:{p.get('containerPort')}".lstrip(":") for p in container_ports(workload.template)]
    return ", ".join(ports) or "no ports"


FAILURE: Final = FailureClass(
    name="service_mismatch",
    rank=2,
    detect=detect,
    seen_in="services",
    not_found="its Services select the pods and send to ports that they declare",
    restart_is_useless="the pods are not what is wrong: traffic does not reach them",
)
