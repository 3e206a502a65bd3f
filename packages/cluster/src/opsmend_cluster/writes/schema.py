"""Decoding: unknown fields are dropped and wrongly typed ones refused, as the typed API server does.

The field names and types are those of the models of the official client, which are generated from the API's own OpenAPI.
"""

import re
from functools import cache
from typing import Any, Final

from kubernetes.client import models

from opsmend_cluster.objects.kinds import JsonObject, Resource
from opsmend_cluster.objects.status import ApiError

_MODELS: Final = {"Event": "CoreV1Event", "Endpoints": "V1Endpoints", "HorizontalPodAutoscaler": "V2HorizontalPodAutoscaler"}
_CONTAINER: Final = re.compile(r"^(Dict|List)\[(?:str, )?(.+)\]$")
_QUANTITY_MAPS: Final = frozenset(
    {"limits", "requests", "hard", "used", "capacity", "allocatable", "overhead",
     "default", "defaultRequest", "max", "min", "maxLimitRequestRatio"}
)  # fmt: skip
"""Maps of quantities, which may be written as numbers: the models call them strings."""


class WrongTypeError(ApiError):
    """A value is of another type than its field: 400."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "BadRequest", message)


class UnknownFieldError(ApiError):
    """A field that the kind does not have, where the client wants such refused: 400."""

    def __init__(self, resource: Resource, fields: list[str]) -> None:
        self.what = "strict decoding error: " + ", ".join(f'unknown field "{path}"' for path in fields)
        kind = resource.kind
        super().__init__(
            400, "BadRequest", f'{kind} in version "{resource.version}" cannot be handled as a {kind}: {self.what}'
        )


def decode(resource: Resource, obj: JsonObject) -> tuple[JsonObject, list[str], list[str]]:
    """`obj` without unknown fields, the paths of those, and the paths of required fields that are missing.

    Raises:
        ApiError: 400, a field has the wrong type.
    """
    name = _MODELS.get(resource.kind, f"V1{resource.kind}")
    unknown: list[str] = []
    missing: list[str] = []
    decoded: JsonObject = _decode(resource, name, obj, "", unknown, missing)
    return decoded, unknown, missing


@cache
def _fields(model: str) -> dict[str, str]:
    """JSON name → type of a model's fields."""
    cls = getattr(models, model)
    return {json_name: cls.openapi_types[attribute] for attribute, json_name in cls.attribute_map.items()}


def _decode(resource: Resource, kind: str, value: Any, path: str, unknown: list[str], missing: list[str]) -> Any:
    if kind == "object":
        return value
    if match := _CONTAINER.match(kind):
        return _decode_container(resource, match.group(1), match.group(2), value, path, unknown, missing)
    if not hasattr(models, kind):
        return _scalar(resource, kind, value, path)
    if not isinstance(value, dict):
        raise _wrong_type(resource, value, path, kind)
    fields = _fields(kind)
    decoded = {}
    for key, inner in value.items():
        where = f"{path}.{key}" if path else key
        if key not in fields:
            unknown.append(where)
        elif inner is not None:
            decoded[key] = _decode(resource, fields[key], inner, where, unknown, missing)
    if path and not path.startswith(("status", "metadata")):
        missing += [f"{path}.{name}" for name in _required(kind) if name not in decoded]
    return decoded


@cache
def _required(model: str) -> tuple[str, ...]:
    """JSON names of the fields that a model cannot be without."""
    cls = getattr(models, model)
    return tuple(cls.attribute_map[name] for name, info in cls.model_fields.items() if info.is_required())


def _decode_container(
    resource: Resource, container: str, inner: str, value: Any, path: str, unknown: list[str], missing: list[str]
) -> Any:
    if container == "List":
        if not isinstance(value, list):
            raise _wrong_type(resource, value, path, "[]" + inner)
        return [_decode(resource, inner, item, f"{path}[{i}]", unknown, missing) for i, item in enumerate(value)]
    if not isinstance(value, dict):
        raise _wrong_type(resource, value, path, f"map[string]{inner}")
    if path.rpartition(".")[2] in _QUANTITY_MAPS:
        return {key: str(item) for key, item in value.items()}
    return {key: _decode(resource, inner, item, f"{path}.{key}", unknown, missing) for key, item in value.items()}


def _scalar(resource: Resource, kind: str, value: Any, path: str) -> Any:
    match kind:
        case "str" | "datetime" | "bytes" if isinstance(value, str):
            return value
        case "int" if isinstance(value, int) and not isinstance(value, bool):
            return value
        case "bool" if isinstance(value, bool):
            return value
        case "float" if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        case _:
            raise _wrong_type(resource, value, path, {"str": "string", "int": "int32", "bytes": "[]byte"}.get(kind, kind))


def _wrong_type(resource: Resource, value: Any, path: str, wanted: str) -> WrongTypeError:
    found = {str: "string", bool: "bool", int: "number", float: "number", list: "array"}.get(type(value), "object")
    return WrongTypeError(
        f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: '
        f"json: cannot unmarshal {found} into Go struct field {resource.kind}.{path} of type {wanted}"
    )
