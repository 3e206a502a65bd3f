"""What a container effectively is: its environment and files resolved, as the kubelet hands them to the runtime."""

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import PurePosixPath

from opsmend_cluster.objects.kinds import CONFIGMAPS, SECRETS, JsonObject, Resource
from opsmend_cluster.objects.quantities import parse_quantity
from opsmend_cluster.objects.selectors import labels_of
from opsmend_cluster.objects.store import Store


@dataclass(frozen=True)
class ContainerView:
    """Fixed when the container starts: later edits of a ConfigMap reach it at its next start."""

    namespace: str
    pod: str
    container: str
    image: str
    node: str
    ip: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    """Absolute path → content, of what ConfigMaps and Secrets put there."""
    memory_limit: Decimal | None = None
    """Bytes."""
    ports: tuple[int, ...] = ()
    """Declared container ports."""


class ConfigError(Exception):
    """The container cannot be created: something that it refers to is missing. The text is the kubelet's."""


class MountError(Exception):
    """A volume cannot be set up. The text is the kubelet's."""


def view_of(store: Store, pod: JsonObject, container: JsonObject) -> ContainerView:
    """Raises:
    ConfigError: an environment variable refers to something missing.
    MountError: a volume does.
    """
    metadata, spec = pod["metadata"], pod["spec"]
    limit = ((container.get("resources") or {}).get("limits") or {}).get("memory")
    volumes = volume_files(store, pod)
    return ContainerView(
        namespace=metadata["namespace"], pod=metadata["name"], container=container["name"], image=container["image"],
        node=spec.get("nodeName", ""), ip=pod["status"].get("podIP", ""), labels=labels_of(pod),
        command=(*(container.get("command") or []), *(container.get("args") or [])),
        env=_environment(store, pod, container), files=dict(_mounted(container, volumes)),
        memory_limit=None if limit is None else parse_quantity(limit),
        ports=tuple(port["containerPort"] for port in container.get("ports") or []),
    )  # fmt: skip


def _environment(store: Store, pod: JsonObject, container: JsonObject) -> dict[str, str]:
    env: dict[str, str] = {}
    namespace = pod["metadata"]["namespace"]
    for source in container.get("envFrom") or []:
        for field_name, resource in (("configMapRef", CONFIGMAPS), ("secretRef", SECRETS)):
            if reference := source.get(field_name):
                data = _data(store, resource, namespace, reference["name"])
                if data is None and not reference.get("optional"):
                    raise ConfigError(f'{resource.kind.lower()} "{reference["name"]}" not found')
                env |= {source.get("prefix", "") + key: value for key, value in (data or {}).items()}
    for variable in container.get("env") or []:
        value = _variable(store, pod, variable)
        if value is not None:
            env[variable["name"]] = value
    return env


def _variable(store: Store, pod: JsonObject, variable: JsonObject) -> str | None:
    origin = variable.get("valueFrom")
    if not origin:
        return str(variable.get("value", ""))
    for field_name, resource in (("configMapKeyRef", CONFIGMAPS), ("secretKeyRef", SECRETS)):
        if reference := origin.get(field_name):
            return _key(store, resource, pod["metadata"]["namespace"], reference)
    if reference := origin.get("fieldRef"):
        value: object = pod
        for key in reference["fieldPath"].split("."):
            value = value.get(key) if isinstance(value, dict) else None
        return str(value or "")
    return ""


def _key(store: Store, resource: Resource, namespace: str, reference: JsonObject) -> str | None:
    data = _data(store, resource, namespace, reference["name"])
    if data is not None and reference["key"] in data:
        return data[reference["key"]]
    if reference.get("optional"):
        return None
    if data is None:
        raise ConfigError(f'{resource.kind.lower()} "{reference["name"]}" not found')
    raise ConfigError(f"couldn't find key {reference['key']} in {resource.kind} {namespace}/{reference['name']}")


def volume_files(store: Store, pod: JsonObject) -> dict[str, dict[str, str]]:
    """Volume name → file name → content.

    Raises:
        MountError: a ConfigMap, a Secret or a key of it is missing and not optional.
    """
    namespace = pod["metadata"]["namespace"]
    volumes = pod["spec"].get("volumes") or []
    return {volume["name"]: dict(_volume(store, namespace, volume)) for volume in volumes}


def _volume(store: Store, namespace: str, volume: JsonObject) -> Iterator[tuple[str, str]]:
    sources = [volume, *((volume.get("projected") or {}).get("sources") or [])]
    for source in sources:
        for field_name, name_field, resource in (("configMap", "name", CONFIGMAPS), ("secret", "secretName", SECRETS)):
            if reference := source.get(field_name):
                name = reference.get(name_field) or reference.get("name", "")
                yield from _files(store, resource, namespace, volume["name"], name, reference)


def _files(
    store: Store, resource: Resource, namespace: str, volume: str, name: str, reference: JsonObject
) -> Iterator[tuple[str, str]]:
    failed = f'MountVolume.SetUp failed for volume "{volume}" : '
    data = _data(store, resource, namespace, name)
    if data is None:
        if reference.get("optional"):
            return
        raise MountError(f'{failed}{resource.kind.lower()} "{name}" not found')
    items = reference.get("items")
    if items is None:
        yield from data.items()
        return
    for item in items:
        if item["key"] in data:
            yield item["path"], data[item["key"]]
        elif not reference.get("optional"):
            kind = "config" if resource is CONFIGMAPS else "secret"
            raise MountError(
                f"{failed}{'configmap' if kind == 'config' else 'secret'} references non-existent {kind} key: {item['key']}"
            )


def _mounted(container: JsonObject, volumes: dict[str, dict[str, str]]) -> Iterator[tuple[str, str]]:
    for mount in container.get("volumeMounts") or []:
        files = volumes.get(mount["name"], {})
        sub_path = mount.get("subPath")
        if sub_path in files:
            yield mount["mountPath"], files[sub_path]
        elif not sub_path:
            for name, content in files.items():
                yield str(PurePosixPath(mount["mountPath"]) / name), content


def _data(store: Store, resource: Resource, namespace: str, name: str) -> dict[str, str] | None:
    obj = store.get(resource, namespace, name)
    if obj is None:
        return None
    data: dict[str, str] = obj.get("data") or {}
    if resource is SECRETS:
        return {key: b64decode(value).decode(errors="replace") for key, value in data.items()}
    return data
