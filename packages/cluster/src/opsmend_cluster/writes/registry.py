"""Every write passes here, from clients and from controllers alike: defaults, validation, admission, generation, versions."""

from base64 import b64encode
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Final
from uuid import UUID

from opsmend_cluster.objects.clock import timestamp
from opsmend_cluster.objects.kinds import DAEMON_SETS, NAMESPACES, PODS, JsonObject, Resource
from opsmend_cluster.objects.status import already_exists, bad_request, conflict, invalid, not_found
from opsmend_cluster.objects.store import Store
from opsmend_cluster.writes.admission import admit
from opsmend_cluster.writes.defaults import apply_defaults
from opsmend_cluster.writes.initial_status import initial_status
from opsmend_cluster.writes.managed_fields import record_update
from opsmend_cluster.writes.pod_validation import required
from opsmend_cluster.writes.schema import decode
from opsmend_cluster.writes.validation import validate

_NAME_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
"""What the API server makes generated names of: no vowels, no digits that look like letters."""


@dataclass(frozen=True)
class Writer:
    """On whose behalf a write happens. `dry_run` keeps nothing."""

    manager: str
    dry_run: bool = False
    on_unknown: Callable[[list[str]], None] = lambda fields: None
    """Told the paths of fields that no such kind has, before they are dropped; it may refuse them."""


class Registry:
    """The objects behind their rules. `random` names generated objects: the same seed, the same names."""

    def __init__(self, store: Store, random: Random) -> None:
        self.store = store
        self._random = random

    def require(self, resource: Resource, namespace: str, name: str) -> JsonObject:
        """Raises:
        ApiError: 404.
        """
        obj = self.store.get(resource, namespace, name)
        if obj is None:
            raise not_found(resource, name)
        return obj

    def generated(self, prefix: str) -> str:
        return prefix + "".join(self._random.choice(_NAME_ALPHABET) for _ in range(5))

    def create(self, resource: Resource, namespace: str, body: JsonObject, writer: Writer) -> JsonObject:
        """Raises:
        ApiError: 400, 403, 404 (namespace), 409 AlreadyExists, 422.
        """
        obj = self._decoded(resource, body, writer)
        metadata = obj["metadata"]
        if resource.namespaced:
            metadata["namespace"] = namespace
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = self.generated(metadata["generateName"])
        obj.pop("status", None)
        apply_defaults(obj)
        validate(resource, obj, None)
        if self.store.get(resource, namespace, metadata["name"]) is not None:
            raise already_exists(resource, metadata["name"])
        admit(self.store, resource, obj)
        metadata["uid"] = str(UUID(int=self._random.getrandbits(128), version=4))
        metadata["creationTimestamp"] = timestamp()
        for field in ("resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"):
            metadata.pop(field, None)
        if "spec" in obj and resource not in (PODS, NAMESPACES):
            metadata["generation"] = 1
        if resource is DAEMON_SETS:
            _count_templates(obj, None)
        initial_status(obj)
        if not metadata.get("managedFields"):
            record_update(None, obj, writer.manager)
        return obj if writer.dry_run else self.store.put(resource, obj)

    def update(
        self, resource: Resource, before: JsonObject, body: JsonObject, writer: Writer, *, subresource: str = ""
    ) -> JsonObject:
        """Replace `before` by `body`; an unchanged object keeps its version. `subresource` status takes only the status.

        Raises:
            ApiError: 400, 403, 409 Conflict, 422.
        """
        obj = self._decoded(resource, body, writer)
        metadata, old = obj["metadata"], before["metadata"]
        _check_identity(resource, metadata, old)
        applied = metadata.get("managedFields") if metadata.get("managedFields") != old.get("managedFields") else None
        for field in ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "namespace"):
            metadata.pop(field, None)
            if field in old:
                metadata[field] = old[field]
        metadata["resourceVersion"] = old["resourceVersion"]
        obj = _only_subresource(obj, before, subresource)
        apply_defaults(obj)
        validate(resource, obj, before)
        metadata = obj["metadata"]
        if "generation" in old and obj.get("spec") != before.get("spec"):
            metadata["generation"] = old["generation"] + 1
        if resource is DAEMON_SETS:
            _count_templates(obj, before)
        if applied is None:
            metadata["managedFields"] = old.get("managedFields") or []
            if obj == before:
                return before
            record_update(before, obj, writer.manager, subresource)
        elif _same_but_times(obj, before):
            return before
        if writer.dry_run:
            return obj
        if "deletionTimestamp" in metadata and not metadata.get("finalizers") and resource is not PODS:
            return self.store.remove(resource, metadata.get("namespace", ""), metadata["name"])
        return self.store.put(resource, obj)

    def update_status(self, resource: Resource, before: JsonObject, status: JsonObject, manager: str) -> JsonObject:
        """A controller's write of its own status; skips the checks that its author satisfies by construction."""
        if before.get("status") == status:
            return before
        obj = {**before, "metadata": dict(before["metadata"]), "status": status}
        record_update(before, obj, manager, "status")
        return self.store.put(resource, obj)

    def _decoded(self, resource: Resource, body: JsonObject, writer: Writer) -> JsonObject:
        for field, expected in (("kind", resource.kind), ("apiVersion", resource.api_version)):
            if body.get(field, expected) != expected:
                message = f"the {field} in the data ({body[field]}) does not match the expected {field} ({expected})"
                raise bad_request(f"the object provided is unrecognized or does not fit the address: {message}")
        whole = {**deepcopy(body), "kind": resource.kind, "apiVersion": resource.api_version}
        whole.setdefault("metadata", {})
        if resource.kind in _WITH_SPEC:
            whole.setdefault("spec", {})
        obj, unknown, missing = decode(resource, whole)
        for field in ("metadata", *(["spec"] if resource.kind in _WITH_SPEC else [])):
            obj.setdefault(field, {})
        if unknown:
            writer.on_unknown(unknown)
        if missing:
            raise invalid(resource, obj["metadata"].get("name", ""), [required(path) for path in missing])
        if resource.kind == "Secret":
            _encode_string_data(obj)
        return obj


_WITH_SPEC: Final = frozenset(
    {"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "Service", "ResourceQuota", "LimitRange",
     "HorizontalPodAutoscaler", "PodDisruptionBudget", "Node", "Lease", "PersistentVolumeClaim", "PersistentVolume"}
)  # fmt: skip


def _count_templates(daemon_set: JsonObject, before: JsonObject | None) -> None:
    """The API server keeps a counter of templates of its own, whatever a client writes there."""
    counter = "deprecated.daemonset.template.generation"
    annotations = daemon_set["metadata"].setdefault("annotations", {})
    if before is None:
        annotations[counter] = "1"
        return
    count = int(before["metadata"]["annotations"][counter])
    annotations[counter] = str(count + (daemon_set["spec"]["template"] != before["spec"]["template"]))


def _encode_string_data(secret: JsonObject) -> None:
    """`stringData` is write only: it ends up in `data`."""
    for key, value in (secret.pop("stringData", None) or {}).items():
        secret.setdefault("data", {})[key] = b64encode(value.encode()).decode()


def _check_identity(resource: Resource, new: JsonObject, old: JsonObject) -> None:
    name = old["name"]
    if new.get("name", name) != name:
        raise bad_request(f"the name of the object ({new['name']}) does not match the name on the URL ({name})")
    new["name"] = name
    if new.get("resourceVersion") and new["resourceVersion"] != old["resourceVersion"]:
        raise conflict(resource, name)
    if new.get("uid") and new["uid"] != old["uid"]:
        raise conflict(resource, name)


def _only_subresource(obj: JsonObject, before: JsonObject, subresource: str) -> JsonObject:
    """The main endpoint ignores the status that it is sent, the status endpoint everything but it."""
    if subresource == "status":
        merged = {**deepcopy(before), "status": obj.get("status") or {}}
        merged["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"]
        return merged
    merged = dict(obj)
    if "status" in before:
        merged["status"] = deepcopy(before["status"])
    else:
        merged.pop("status", None)
    return merged


def _same_but_times(obj: JsonObject, before: JsonObject) -> bool:
    """An apply that changes nothing keeps the version, though its managed fields carry a new time."""

    def timeless(o: JsonObject) -> JsonObject:
        fields = [{**f, "time": ""} for f in o["metadata"].get("managedFields") or []]
        return {**o, "metadata": {**o["metadata"], "managedFields": fields}}

    return timeless(obj) == timeless(before)
