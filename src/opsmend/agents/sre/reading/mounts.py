"""Which ConfigMap keys and Secrets a container reads, and where: mounted files and environment variables."""

from typing import Any, Final

from opsmend.domain.record import JsonObject, Record
from opsmend.domain.snapshot import ConfigReference
from opsmend.domain.target import Kind, ObjectRef

_CONFIG_KINDS: Final = ((Kind.CONFIG_MAP, "configMap", "name"), (Kind.SECRET, "secret", "secretName"))


class MountedFile(Record):
    """A key of a ConfigMap or Secret as a file of a container. An empty `key` stands for a whole folder of unknown keys."""

    path: str
    ref: ObjectRef
    key: str


class ReadVariable(Record):
    """An environment variable of a container that is taken from a ConfigMap or Secret."""

    name: str
    ref: ObjectRef
    key: str


def mounted_files(
    pod_spec: JsonObject, container: JsonObject, namespace: str, known: tuple[ConfigReference, ...]
) -> tuple[MountedFile, ...]:
    """The files that `container` gets from ConfigMaps and Secrets; the keys of a ConfigMap as `known` lists them."""
    keys = {reference.ref: reference.keys for reference in known if reference.keys}
    volumes = {volume.get("name"): volume for volume in pod_spec.get("volumes") or []}
    files: list[MountedFile] = []
    for mount in container.get("volumeMounts") or []:
        for ref, items in _sources(volumes.get(mount.get("name"), {}), namespace):
            pairs = [(item["key"], item.get("path", item["key"])) for item in items] or [(k, k) for k in keys.get(ref, ("",))]
            files += [f for key, path in pairs if (f := _mounted(mount, ref, key, path))]
    return tuple(files)


def read_variables(container: JsonObject, namespace: str) -> tuple[ReadVariable, ...]:
    """The variables of `container` that name a key of a ConfigMap or Secret."""
    found: list[ReadVariable] = []
    for variable in container.get("env") or []:
        source = variable.get("valueFrom") or {}
        for kind, field in ((Kind.CONFIG_MAP, "configMapKeyRef"), (Kind.SECRET, "secretKeyRef")):
            if field in source:
                ref = ObjectRef(kind=kind, namespace=namespace, name=source[field].get("name", ""))
                found.append(ReadVariable(name=variable["name"], ref=ref, key=source[field].get("key", "")))
    return tuple(found)


def keys_read(
    template: JsonObject, container: JsonObject, ref: ObjectRef, known: tuple[ConfigReference, ...]
) -> frozenset[str]:
    """The keys of the ConfigMap `ref` that `container` gets to see, as files or as variables."""
    files = mounted_files(template.get("spec") or {}, container, ref.namespace, known)
    found = {file.key for file in files if file.ref == ref}
    found |= {variable.key for variable in read_variables(container, ref.namespace) if variable.ref == ref}
    names = [(source.get("configMapRef") or {}).get("name") for source in container.get("envFrom") or []]
    if ref.kind is Kind.CONFIG_MAP and ref.name in names:
        found |= {key for reference in known if reference.ref == ref for key in reference.keys}
    return frozenset(found)


def referenced(template: JsonObject) -> frozenset[tuple[Kind, str]]:
    """Kind and name of every ConfigMap and Secret that a pod template names anywhere."""
    found: set[tuple[Kind, str]] = set()
    _collect(template, found)
    return frozenset(found)


def _sources(volume: JsonObject, namespace: str) -> list[tuple[ObjectRef, list[dict[str, Any]]]]:
    found = []
    for source in [volume, *((volume.get("projected") or {}).get("sources") or [])]:
        for kind, field, name_field in _CONFIG_KINDS:
            body = source.get(field)
            name = (body or {}).get(name_field) or (body or {}).get("name")
            if name:
                found.append((ObjectRef(kind=kind, namespace=namespace, name=name), body.get("items") or []))
    return found


def _mounted(mount: JsonObject, ref: ObjectRef, key: str, path: str) -> MountedFile | None:
    root = str(mount.get("mountPath", "")).rstrip("/")
    sub_path = str(mount.get("subPath", ""))
    if not sub_path:
        return MountedFile(path=f"{root}/{path}".rstrip("/"), ref=ref, key=key)
    return MountedFile(path=root, ref=ref, key=key) if path in (sub_path, "") else None


def _collect(value: Any, found: set[tuple[Kind, str]]) -> None:
    if isinstance(value, list):
        for item in value:
            _collect(item, found)
    elif isinstance(value, dict):
        for key, item in value.items():
            kind = Kind.CONFIG_MAP if key.startswith("configMap") else Kind.SECRET if key.startswith("secret") else None
            name = (item.get("name") or item.get("secretName")) if kind and isinstance(item, dict) else None
            if kind and name:
                found.add((kind, str(name)))
            _collect(item, found)
