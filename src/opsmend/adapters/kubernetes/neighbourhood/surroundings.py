"""What stands around a workload in its namespace, and the nodes below it."""

import asyncio
from typing import Any, Final

from opsmend.adapters.kubernetes.neighbourhood.autoscaler_metrics import metrics_of
from opsmend.adapters.kubernetes.neighbourhood.fields import conditions_of, last_write, ref_of
from opsmend.adapters.kubernetes.neighbourhood.maintenance import maintenance_of
from opsmend.adapters.kubernetes.neighbourhood.pods import is_sick, sick_first
from opsmend.adapters.kubernetes.neighbourhood.writes import writes_of
from opsmend.adapters.kubernetes.reading import Reading
from opsmend.adapters.kubernetes.resources import ENDPOINT_SLICES, RESOURCES
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Autoscaler, Node, Pod, Quota, Service, ServicePort, Taint
from opsmend.domain.target import Kind, ObjectRef

_NODES_READ: Final = 3
"""Nodes of sick pods that are read one by one."""
_NODES_LISTED: Final = 500
"""Nodes that are listed when a pod finds no place: some 5 MB."""
_SERVICE_NAME: Final = "kubernetes.io/service-name"
"""The label that leads from endpoints to their Service."""
_NAMES_IN_A_QUERY: Final = 50
"""Services whose endpoints are asked for by name. For more, all of the namespace are listed: an address must stay short."""


async def read_services(reading: Reading, namespace: str, labels: dict[str, str], names: set[str]) -> tuple[Service, ...]:
    """Services of the namespace that select pods with `labels`, or share a pair with them, or are called one of `names`."""
    listed = await reading.attempt("services", reading.list(Kind.SERVICE, namespace), [])
    services = [s for s in listed if concerns(s["metadata"]["name"], s["spec"].get("selector") or {}, labels, names)]
    slices = await _read_endpoints(reading, namespace, [service["metadata"]["name"] for service in services])
    return tuple(_service_from(service, slices) for service in services)


def concerns(name: str, selector: dict[str, str], labels: dict[str, str], names: set[str]) -> bool:
    """Whether a Service is called one of `names`, or shares a pair with `labels`."""
    return name in names or bool(set(selector.items()) & set(labels.items()))


async def _read_endpoints(reading: Reading, namespace: str, services: list[str]) -> list[JsonObject] | None:
    """None when they could not be read."""
    if not services:
        return []
    named = f"{_SERVICE_NAME} in ({','.join(services)})" if len(services) <= _NAMES_IN_A_QUERY else ""
    listed = reading.list(ENDPOINT_SLICES, namespace, labels=named)
    return await reading.attempt("endpoints of services", listed, None)


def _service_from(obj: JsonObject, slices: list[JsonObject] | None) -> Service:
    name, changed = obj["metadata"]["name"], last_write(obj, "spec")
    own = [s for s in slices or () if (s["metadata"].get("labels") or {}).get(_SERVICE_NAME) == name]
    # A pod has an endpoint in a slice for each address family, so the pods are counted.
    readiness: dict[str, bool] = {}
    for piece in own:
        for endpoint in piece.get("endpoints") or ():
            who = (endpoint.get("targetRef") or {}).get("uid") or ",".join(endpoint.get("addresses") or ())
            # Unknown readiness counts as ready by the API's own definition.
            readiness[who] = (endpoint.get("conditions") or {}).get("ready") is not False
    return Service(
        ref=ref_of(Kind.SERVICE, obj),
        cluster_ip=_cluster_ip(obj),
        selector=obj["spec"].get("selector") or {},
        ports=tuple(_port_from(port) for port in obj["spec"].get("ports") or ()),
        ready_endpoints=sum(readiness.values()),
        not_ready_endpoints=len(readiness) - sum(readiness.values()),
        endpoints_seen=slices is not None,
        changed_at=changed[0],
        changed_by=changed[1],
        writes=writes_of(obj),
    )


def _cluster_ip(obj: JsonObject) -> str:
    address = obj["spec"].get("clusterIP") or ""
    return "" if address == "None" else str(address)


def _port_from(port: dict[str, Any]) -> ServicePort:
    return ServicePort(
        name=port.get("name") or "",
        port=port["port"],
        target_port=port.get("targetPort", port["port"]),
        protocol=port.get("protocol") or "TCP",
    )


async def read_autoscalers(reading: Reading, scaled: ObjectRef) -> tuple[Autoscaler, ...]:
    """Those that scale `scaled`."""
    kind = Kind.HORIZONTAL_POD_AUTOSCALER
    items = await reading.attempt("autoscalers", reading.list(kind, scaled.namespace), [])
    mine = [
        i
        for i in items
        if (i["spec"]["scaleTargetRef"]["kind"], i["spec"]["scaleTargetRef"]["name"]) == (scaled.kind, scaled.name)
    ]
    return tuple(
        Autoscaler(
            ref=ref_of(kind, item),
            scales=scaled,
            min_replicas=item["spec"].get("minReplicas", 1),
            max_replicas=item["spec"]["maxReplicas"],
            current_replicas=item.get("status", {}).get("currentReplicas") or 0,
            desired_replicas=item.get("status", {}).get("desiredReplicas") or 0,
            metrics=metrics_of(item),
            conditions=conditions_of(item),
            writes=writes_of(item),
        )
        for item in mine
    )


async def read_quotas(reading: Reading, namespace: str) -> tuple[Quota, ...]:
    items = await reading.attempt("resource quotas", reading.list(Kind.RESOURCE_QUOTA, namespace), [])
    quotas = []
    for item in items:
        changed_at, changed_by = last_write(item, "spec")
        quotas.append(
            Quota(
                ref=ref_of(Kind.RESOURCE_QUOTA, item),
                hard=item.get("status", {}).get("hard") or item["spec"].get("hard") or {},
                used=item.get("status", {}).get("used") or {},
                changed_at=changed_at,
                changed_by=changed_by,
                writes=writes_of(item),
            )
        )
    return tuple(quotas)


async def read_nodes(reading: Reading, pods: tuple[Pod, ...]) -> tuple[Node, ...]:
    """The nodes of the sick pods, or one if all are well; all nodes (up to a limit) when a pod has found no place."""
    if any(not pod.node and pod.phase == "Pending" for pod in pods):
        nodes = await reading.attempt("nodes", reading.list(RESOURCES[Kind.NODE], "", limit=_NODES_LISTED), [])
        return tuple(node_from(node) for node in nodes)
    placed = [pod for pod in sick_first(pods) if pod.node]
    names = list(dict.fromkeys(pod.node for pod in placed if is_sick(pod)))[:_NODES_READ] or [pod.node for pod in placed[:1]]
    refs = [ObjectRef(kind=Kind.NODE, name=name) for name in names]
    read = await asyncio.gather(*(reading.attempt(str(ref), reading.object(ref), None) for ref in refs))
    return tuple(node_from(node) for node in read if node is not None)


def node_from(obj: JsonObject) -> Node:
    spec = obj.get("spec") or {}
    tainted_at, tainted_by = last_write(obj, "spec", "taints")
    return Node(
        name=obj["metadata"]["name"],
        labels=obj["metadata"].get("labels") or {},
        unschedulable=spec.get("unschedulable", False),
        taints=tuple(
            Taint(key=taint["key"], value=taint.get("value") or "", effect=taint["effect"])
            for taint in spec.get("taints") or ()
        ),
        taints_changed_at=tainted_at,
        taints_changed_by=tainted_by,
        conditions=conditions_of(obj),
        allocatable=obj.get("status", {}).get("allocatable") or {},
        writes=writes_of(obj),
        maintenance=maintenance_of(ObjectRef(kind=Kind.NODE, name=obj["metadata"]["name"]), obj),
    )
