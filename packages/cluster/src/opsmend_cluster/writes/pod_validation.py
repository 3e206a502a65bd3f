"""What is refused of a pod specification."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from opsmend_cluster.objects.kinds import JsonObject
from opsmend_cluster.objects.quantities import parse_quantity
from opsmend_cluster.objects.status import Cause, bad_request

_DNS_LABEL: Final = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
_HANDLERS: Final = ("httpGet", "tcpSocket", "exec", "grpc")


def required(field: str) -> Cause:
    return Cause(field, "FieldValueRequired", "Required value")


def wrong(field: str, value: Any, why: str) -> Cause:
    return Cause(field, "FieldValueInvalid", f"Invalid value: {json.dumps(value)}: {why}")


def pod_template_causes(spec: JsonObject, path: str) -> Iterator[Cause]:
    """Causes for the pod specification `spec` that lies at `path` of its object."""
    if not spec.get("containers"):
        yield required(f"{path}.containers")
    volumes = set()
    for i, volume in enumerate(spec.get("volumes") or []):
        if volume.get("name") in volumes:
            yield Cause(f"{path}.volumes[{i}].name", "FieldValueDuplicate", f'Duplicate value: "{volume["name"]}"')
        volumes.add(volume.get("name"))
        if len(volume) < 2:
            yield Cause(f"{path}.volumes[{i}]", "FieldValueRequired", "Required value: must specify a volume type")
    names: set[str] = set()
    for field in ("initContainers", "containers"):
        for i, container in enumerate(spec.get(field) or []):
            yield from _container_causes(container, f"{path}.{field}[{i}]", volumes, names)


def _container_causes(container: JsonObject, path: str, volumes: set[str], names: set[str]) -> Iterator[Cause]:
    name = container.get("name", "")
    if not name:
        yield required(f"{path}.name")
    elif not _DNS_LABEL.match(name):
        yield wrong(
            f"{path}.name", name, "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-'"
        )
    elif name in names:
        yield Cause(f"{path}.name", "FieldValueDuplicate", f'Duplicate value: "{name}"')
    names.add(name)
    image = container.get("image", "")
    if not image:
        yield required(f"{path}.image")
    elif image != image.strip():
        yield wrong(f"{path}.image", image, "must not have leading or trailing whitespace")
    for i, mount in enumerate(container.get("volumeMounts") or []):
        if mount.get("name") not in volumes:
            yield Cause(f"{path}.volumeMounts[{i}].name", "FieldValueNotFound", f'Not found: "{mount.get("name")}"')
        if not mount.get("mountPath"):
            yield required(f"{path}.volumeMounts[{i}].mountPath")
    for i, port in enumerate(container.get("ports") or []):
        if not 1 <= port.get("containerPort", 0) <= 65535:
            yield wrong(
                f"{path}.ports[{i}].containerPort", port.get("containerPort", 0), "must be between 1 and 65535, inclusive"
            )
    for i, variable in enumerate(container.get("env") or []):
        if not variable.get("name"):
            yield required(f"{path}.env[{i}].name")
        if variable.get("value") and variable.get("valueFrom"):
            yield wrong(f"{path}.env[{i}].valueFrom", "", "may not be specified when `value` is not empty")
    yield from _resource_causes(container.get("resources") or {}, f"{path}.resources")
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe in container:
            yield from _probe_causes(container[probe], f"{path}.{probe}")


def _probe_causes(probe: JsonObject, path: str) -> Iterator[Cause]:
    handlers = [handler for handler in _HANDLERS if probe.get(handler) is not None]
    if not handlers:
        yield Cause(path, "FieldValueRequired", "Required value: must specify a handler type")
    for extra in handlers[1:]:
        message = "Forbidden: may not specify more than 1 handler type"
        yield Cause(f"{path}.{extra}", "FieldValueForbidden", message)
    for handler in handlers[:1]:
        port = probe[handler].get("port")
        if isinstance(port, int) and not 1 <= port <= 65535:
            yield wrong(f"{path}.{handler}.port", port, "must be between 1 and 65535, inclusive")


def _resource_causes(resources: JsonObject, path: str) -> Iterator[Cause]:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for kind, quantities in (("limits", limits), ("requests", requests)):
        for name, quantity in quantities.items():
            if _value(quantity) < 0:
                yield wrong(f"{path}.{kind}[{name}]", quantity, "must be greater than or equal to 0")
    for name, request in requests.items():
        if name in limits and _value(request) > _value(limits[name]):
            yield wrong(f"{path}.requests", request, f"must be less than or equal to {name} limit of {limits[name]}")


def _value(quantity: str) -> Any:
    try:
        return parse_quantity(quantity)
    except ValueError as error:
        raise bad_request(f"unable to parse quantity {quantity!r}: {error}") from error
