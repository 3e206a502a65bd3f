"""ConfigMaps and Secrets that a pod template names.

Secrets are never asked for: RBAC has no right for their existence alone, and whoever may ask for that may read them. The
kubelet says which one is missing.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from opsmend.adapters.kubernetes.neighbourhood.fields import last_applied, last_write
from opsmend.adapters.kubernetes.neighbourhood.last_good import read_last_good
from opsmend.adapters.kubernetes.neighbourhood.writes import writes_of
from opsmend.adapters.kubernetes.reading import Reading
from opsmend.domain.ports.last_good import LastGood
from opsmend.domain.record import JsonObject, digest
from opsmend.domain.snapshot import CONFIG_VALUE_KEPT, ConfigReference
from opsmend.domain.target import Kind, ObjectRef
from opsmend.errors import TargetGoneError
from opsmend.policy.redaction import redact_json

_READ_LIMIT: Final = 2 * CONFIG_VALUE_KEPT
"""Characters of a value that are redacted before it is cut for good: a secret cut in half would not be recognised."""
_OBJECTS_LIMIT: Final = 20
"""ConfigMaps of one template that are read."""


@dataclass(frozen=True)
class _Use:
    ref: ObjectRef
    how: str
    keys: tuple[str, ...]
    optional: bool


async def read_config(
    reading: Reading, template: JsonObject, namespace: str, last_good: LastGood | None = None
) -> tuple[ConfigReference, ...]:
    """One reference for each object and each of required and optional: its uses joined."""
    merged: dict[tuple[ObjectRef, bool], list[_Use]] = {}
    for use in _uses(template.get("spec") or {}, namespace):
        merged.setdefault((use.ref, use.optional), []).append(use)
    refs = list(dict.fromkeys(ref for ref, _ in merged if ref.kind is Kind.CONFIG_MAP))
    if any(ref.kind is Kind.SECRET for ref, _ in merged):
        reading.unseen.append("Secrets: opsmend never asks for them; whether they exist is told by the kubelet alone")
    if len(refs) > _OBJECTS_LIMIT:
        reading.unseen.append(f"configuration: only {_OBJECTS_LIMIT} of {len(refs)} objects were looked at")
    read = await asyncio.gather(*(_read(reading, ref, last_good) for ref in refs[:_OBJECTS_LIMIT]))
    known = dict(zip(refs, read, strict=False))
    return tuple(
        ConfigReference(
            ref=ref,
            optional=optional,
            needed_keys=tuple(dict.fromkeys(key for use in uses for key in use.keys)),
            used_by="; ".join(dict.fromkeys(use.how for use in uses)),
            **known.get(ref, {}),
        )
        for (ref, optional), uses in merged.items()
    )


def config_maps_of(template: JsonObject, namespace: str) -> tuple[ObjectRef, ...]:
    """The ConfigMaps that a pod template names, each once."""
    uses = _uses(template.get("spec") or {}, namespace)
    return tuple(dict.fromkeys(use.ref for use in uses if use.ref.kind is Kind.CONFIG_MAP))


def _uses(spec: JsonObject, namespace: str) -> Iterator[_Use]:
    def use(kind: Kind, name: str, how: str, source: JsonObject, keys: tuple[str, ...] = ()) -> _Use:
        return _Use(ObjectRef(kind=kind, namespace=namespace, name=name), how, keys, bool(source.get("optional")))

    for volume in spec.get("volumes") or ():
        how = f"volume {volume['name']}"
        for source in (volume, *((volume.get("projected") or {}).get("sources") or ())):
            if config := source.get("configMap"):
                yield use(Kind.CONFIG_MAP, config["name"], how, config, _item_keys(config))
            if secret := source.get("secret"):
                # A volume of its own says secretName, a projected one says name.
                yield use(Kind.SECRET, secret.get("secretName") or secret["name"], how, secret, _item_keys(secret))
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        place = f"of container {container['name']}"
        for source in container.get("envFrom") or ():
            if config := source.get("configMapRef"):
                yield use(Kind.CONFIG_MAP, config["name"], f"envFrom {place}", config)
            if secret := source.get("secretRef"):
                yield use(Kind.SECRET, secret["name"], f"envFrom {place}", secret)
        for variable in container.get("env") or ():
            value_from, how = variable.get("valueFrom") or {}, f"env {variable['name']} {place}"
            if config := value_from.get("configMapKeyRef"):
                yield use(Kind.CONFIG_MAP, config["name"], how, config, (config["key"],))
            if secret := value_from.get("secretKeyRef"):
                yield use(Kind.SECRET, secret["name"], how, secret, (secret["key"],))
    for secret in spec.get("imagePullSecrets") or ():
        # The kubelet goes on without a pull secret that does not exist.
        yield use(Kind.SECRET, secret["name"], "imagePullSecrets", {"optional": True})


def _item_keys(source: JsonObject) -> tuple[str, ...]:
    return tuple(item["key"] for item in source.get("items") or ())


async def _read(reading: Reading, ref: ObjectRef, last_good: LastGood | None) -> dict[str, Any]:
    """Fields of the ConfigReference; none when it could not be read."""
    return await reading.attempt(str(ref), _config_map(reading, ref, last_good), {})


async def _config_map(reading: Reading, ref: ObjectRef, last_good: LastGood | None) -> dict[str, Any]:
    try:
        obj = await reading.object(ref)
    except TargetGoneError:
        return {"exists": False}
    data = obj.get("data") or {}
    changed_at, changed_by = last_write(obj, "data")
    return {
        "exists": True,
        "keys": tuple(sorted({*data, *(obj.get("binaryData") or {})})),
        "data_digest": digest(data),
        "data": _shown(data),
        "last_applied": _last_applied(obj),
        "changed_at": changed_at,
        "changed_by": changed_by,
        "writes": writes_of(obj),
        "immutable": bool(obj.get("immutable")),
        "last_good": await read_last_good(reading, last_good, ref, obj),
    }


def _last_applied(obj: JsonObject) -> dict[str, str] | None:
    data = last_applied(obj, "data")
    return None if data is None else _shown({key: value for key, value in data.items() if isinstance(value, str)})


def _shown(data: dict[str, str]) -> dict[str, str]:
    masked: dict[str, str] = redact_json({key: value[:_READ_LIMIT] for key, value in data.items()})
    return {key: value[:CONFIG_VALUE_KEPT] for key, value in masked.items()}
