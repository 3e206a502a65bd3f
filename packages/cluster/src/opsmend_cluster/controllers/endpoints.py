"""Service → Endpoints and EndpointSlices."""

from typing import Any, Final

from opsmend_cluster.controllers.owned import is_ready, owner_reference
from opsmend_cluster.controllers.pod_maker import MANAGER
from opsmend_cluster.objects.kinds import ENDPOINT_SLICES, ENDPOINTS, PODS, SERVICES, JsonObject, Resource
from opsmend_cluster.objects.selectors import labels_of
from opsmend_cluster.writes.registry import Registry, Writer

_SLICE_SERVICE: Final = "kubernetes.io/service-name"


class Endpoints:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store

    def sync(self, namespace: str) -> float:
        services = self._store.all(SERVICES, namespace)
        for service in services:
            if service["spec"].get("selector"):
                self._write(service, self._backends(service))
        names = {service["metadata"]["name"] for service in services}
        for endpoints in self._store.all(ENDPOINTS, namespace):
            if endpoints["metadata"]["name"] not in names:
                self._store.remove(ENDPOINTS, namespace, endpoints["metadata"]["name"])
        return float("inf")

    def _backends(self, service: JsonObject) -> list[JsonObject]:
        selector = service["spec"]["selector"].items()
        pods = self._store.all(PODS, service["metadata"]["namespace"])
        return [
            pod for pod in pods
            if selector <= labels_of(pod).items() and pod["status"].get("podIP") and "deletionTimestamp" not in pod["metadata"]
            and pod["status"].get("phase") not in ("Succeeded", "Failed")
        ]  # fmt: skip

    def _write(self, service: JsonObject, pods: list[JsonObject]) -> None:
        metadata = service["metadata"]
        subsets = _subsets(service, pods)
        self._put(ENDPOINTS, {
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"], "labels": dict(labels_of(service))},
            **({"subsets": subsets} if subsets else {}),
        })  # fmt: skip
        name = f"{metadata['name']}-{metadata['uid'][:5]}"
        self._put(ENDPOINT_SLICES, {
            "metadata": {
                "name": name, "namespace": metadata["namespace"], "ownerReferences": [owner_reference(service)],
                "labels": {_SLICE_SERVICE: metadata["name"],
                           "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"},
            },
            "addressType": "IPv4", "ports": _slice_ports(service, pods),
            "endpoints": [_endpoint(pod) for pod in pods],
        })  # fmt: skip

    def _put(self, resource: Resource, body: JsonObject) -> None:
        metadata = body["metadata"]
        before = self._store.get(resource, metadata["namespace"], metadata["name"])
        if before is None:
            self._registry.create(resource, metadata["namespace"], body, Writer(MANAGER))
        elif any(before.get(key) != body.get(key) for key in ("subsets", "endpoints", "ports")):
            self._registry.update(resource, before, body, Writer(MANAGER))


def target_port(service_port: JsonObject, pod: JsonObject) -> int | None:
    """The number that a Service port leads to on `pod`; None where the pod has no port of that name."""
    target: Any = service_port.get("targetPort", service_port["port"])
    if isinstance(target, int):
        return target
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or []:
            if port.get("name") == target:
                return int(port["containerPort"])
    return None


def _subsets(service: JsonObject, pods: list[JsonObject]) -> list[JsonObject]:
    """Pods grouped by the ports that they resolve to: named target ports may differ among them."""
    groups: dict[tuple[int | None, ...], list[JsonObject]] = {}
    for pod in pods:
        groups.setdefault(tuple(target_port(p, pod) for p in (service["spec"].get("ports") or [])), []).append(pod)
    subsets = []
    for numbers, members in groups.items():
        ports = [
            {"port": number, "protocol": port["protocol"], **({"name": port["name"]} if port.get("name") else {})}
            for number, port in zip(numbers, (service["spec"].get("ports") or []), strict=True) if number is not None
        ]  # fmt: skip
        subset: JsonObject = {}
        for field, ready in (("addresses", True), ("notReadyAddresses", False)):
            addresses = [_address(pod) for pod in members if is_ready(pod) is ready]
            if addresses:
                subset[field] = addresses
        if ports:
            subsets.append({**subset, "ports": ports})
    return subsets


def _address(pod: JsonObject) -> JsonObject:
    return {"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": _reference(pod)}


def _reference(pod: JsonObject) -> JsonObject:
    metadata = pod["metadata"]
    return {"kind": "Pod", "namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"]}


def _endpoint(pod: JsonObject) -> JsonObject:
    ready = is_ready(pod)
    return {
        "addresses": [pod["status"]["podIP"]], "conditions": {"ready": ready, "serving": ready, "terminating": False},
        "nodeName": pod["spec"]["nodeName"], "targetRef": _reference(pod),
    }  # fmt: skip


def _slice_ports(service: JsonObject, pods: list[JsonObject]) -> list[JsonObject]:
    ports = []
    for port in service["spec"].get("ports") or []:
        number = next((n for pod in pods if (n := target_port(port, pod)) is not None), None)
        if number is not None:
            ports.append({"name": port.get("name", ""), "port": number, "protocol": port["protocol"]})
    return ports
