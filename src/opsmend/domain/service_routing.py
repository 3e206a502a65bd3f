"""Whether a Service reaches the pods of a workload: by its selector and by its ports.

Health and the detector of Service faults share this, so that a fault that is found is also a fault that must be gone.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from opsmend.domain.record import JsonObject, Record
from opsmend.domain.snapshot import Service, ServicePort, Snapshot, Workload

RECENT: Final = timedelta(days=1)
"""A Service edited within a day of the incident counts as changed lately."""


class Fault(StrEnum):
    SELECTOR = "selector"
    NAMED_PORT = "named_port"
    PORT_NUMBER = "port_number"


class RoutingFault(Record):
    """Why traffic to `service` does not arrive.

    `certain` is false for a port number that no container declares, on a Service that nobody touched lately: declared ports
    are only a documentation, so it may have worked for years.
    """

    service: Service
    fault: Fault
    port: ServicePort | None = None
    certain: bool = True


def pod_labels(workload: Workload) -> dict[str, str]:
    """The labels that the workload gives its pods."""
    labels = (workload.template.get("metadata") or {}).get("labels") or {}
    return {str(k): str(v) for k, v in labels.items()} or dict(workload.selector)


def container_ports(template: JsonObject) -> list[dict[str, Any]]:
    """The declared ports of all containers of a pod template."""
    containers = (template.get("spec") or {}).get("containers") or []
    return [port for container in containers for port in container.get("ports") or []]


def selects(service: Service, labels: dict[str, str]) -> bool:
    return bool(service.selector) and service.selector.items() <= labels.items()


def routing_faults(snapshot: Snapshot) -> tuple[RoutingFault, ...]:
    """The faults of the Services that are meant for the snapshot's workload."""
    workload = snapshot.workload
    if workload is None:
        return ()
    labels = pod_labels(workload)
    faults: list[RoutingFault] = []
    for service in snapshot.services:
        if selects(service, labels):
            faults += _port_faults(service, container_ports(workload.template), lately=_lately(service, snapshot))
        elif service.selector and _meant_for(service, workload, labels, snapshot):
            faults.append(RoutingFault(service=service, fault=Fault.SELECTOR))
    return tuple(faults)


def untold(snapshot: Snapshot) -> tuple[Service, ...]:
    """Services that ought to lead to the snapshot's workload by their name, do not select its pods, and may lead to others:
    their endpoints were not seen."""
    workload = snapshot.workload
    if workload is None:
        return ()
    ours = (workload.ref.name, snapshot.target.name)
    return tuple(
        service
        for service in snapshot.services
        if not service.endpoints_seen
        and service.selector
        and service.ref.name in ours
        and not selects(service, pod_labels(workload))
    )


def _meant_for(service: Service, workload: Workload, labels: dict[str, str], snapshot: Snapshot) -> bool:
    """Whether a Service that selects no pod at all was meant to select these.

    It must have no endpoints and share a label key with the pods (a mistyped value) or all but one pair (a mistyped key).
    A Service of another name that nobody touched lately is somebody else's (a canary's, say) once the pods have one already.
    """
    if not service.endpoints_seen or service.ready_endpoints or service.not_ready_endpoints:
        return False
    named_alike = service.ref.name == workload.ref.name
    asked_for = snapshot.target.ref == service.ref
    if not (named_alike or asked_for or service.selector.keys() & labels.keys()):
        return False
    if named_alike or asked_for:
        return True
    shares_pair = bool(service.selector.items() & labels.items())
    has_another = any(selects(other, labels) for other in snapshot.services)
    return _lately(service, snapshot) and shares_pair and not has_another


def _lately(service: Service, snapshot: Snapshot) -> bool:
    return service.changed_at is not None and snapshot.taken_at - service.changed_at <= RECENT


def _port_faults(service: Service, declared: list[dict[str, Any]], *, lately: bool) -> list[RoutingFault]:
    names = {port.get("name") for port in declared}
    numbers = {port.get("containerPort") for port in declared}
    faults: list[RoutingFault] = []
    for port in service.ports:
        if isinstance(port.target_port, str) and not port.target_port.isdigit():
            if port.target_port not in names:
                faults.append(RoutingFault(service=service, fault=Fault.NAMED_PORT, port=port))
        elif declared and int(port.target_port) not in numbers:
            faults.append(RoutingFault(service=service, fault=Fault.PORT_NUMBER, port=port, certain=lately))
    return faults
