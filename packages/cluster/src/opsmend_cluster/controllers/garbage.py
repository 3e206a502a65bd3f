"""What is left over: objects whose owners are gone, and the contents of namespaces that go."""

from opsmend_cluster.objects.kinds import (
    EVENTS,
    NAMESPACES,
    PODS,
    SERVICE_ACCOUNTS,
    JsonObject,
    Resource,
    resource_of_kind,
)
from opsmend_cluster.objects.store import Store
from opsmend_cluster.writes.deletion import delete
from opsmend_cluster.writes.registry import Registry, Writer


class Garbage:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store: Store = registry.store

    def sync(self, namespace: str) -> float:
        going = self._store.get(NAMESPACES, "", namespace)
        if going is None:
            return float("inf")
        if "deletionTimestamp" in going["metadata"]:
            self._empty(namespace)
            return float("inf")
        if self._store.get(SERVICE_ACCOUNTS, namespace, "default") is None:
            body = {"metadata": {"name": "default"}}
            self._registry.create(SERVICE_ACCOUNTS, namespace, body, Writer("kube-controller-manager"))
        for resource, obj in list(self._store.namespace_objects(namespace)):
            current = self._store.get(resource, namespace, obj["metadata"]["name"])
            if current is not None and resource is not EVENTS:
                self._collect(resource, current)
        return float("inf")

    def _empty(self, namespace: str) -> None:
        for resource, obj in list(self._store.namespace_objects(namespace)):
            if "deletionTimestamp" not in obj["metadata"]:
                delete(self._store, resource, obj, {})
        if not any(True for _ in self._store.namespace_objects(namespace)):
            self._store.remove(NAMESPACES, "", namespace)

    def _collect(self, resource: Resource, obj: JsonObject) -> None:
        metadata = obj["metadata"]
        references = metadata.get("ownerReferences") or []
        if references and "deletionTimestamp" not in metadata and not any(self._lives(obj, r) for r in references):
            delete(self._store, resource, obj, {})
        elif "deletionTimestamp" in metadata and metadata.get("finalizers"):
            self._finalize(resource, obj)

    def _lives(self, obj: JsonObject, reference: JsonObject) -> bool:
        resource = resource_of_kind(reference["apiVersion"], reference["kind"])
        if resource is None:
            return True
        namespace = obj["metadata"]["namespace"] if resource.namespaced else ""
        owner = self._store.get(resource, namespace, reference["name"])
        return owner is not None and owner["metadata"]["uid"] == reference["uid"]

    def _finalize(self, resource: Resource, owner: JsonObject) -> None:
        """The finalizers of foreground deletion and orphaning: theirs is done here, others wait for their author."""
        finalizers, uid = owner["metadata"]["finalizers"], owner["metadata"]["uid"]
        dependents = [
            (r, o) for r, o in self._store.namespace_objects(owner["metadata"]["namespace"])
            if any(ref["uid"] == uid for ref in o["metadata"].get("ownerReferences") or [])
        ]  # fmt: skip
        if "orphan" in finalizers:
            for r, dependent in dependents:
                self._disown(r, dependent, uid)
            self._done(resource, owner, "orphan")
        elif "foregroundDeletion" in finalizers:
            for r, dependent in dependents:
                if "deletionTimestamp" not in dependent["metadata"]:
                    policy = "Background" if r is PODS else "Foreground"
                    delete(self._store, r, dependent, {"propagationPolicy": policy})
            if not dependents:
                self._done(resource, owner, "foregroundDeletion")

    def _disown(self, resource: Resource, dependent: JsonObject, uid: str) -> None:
        left = [ref for ref in dependent["metadata"]["ownerReferences"] if ref["uid"] != uid]
        self._store.put(resource, {**dependent, "metadata": {**dependent["metadata"], "ownerReferences": left}})

    def _done(self, resource: Resource, owner: JsonObject, finalizer: str) -> None:
        metadata = {**owner["metadata"], "finalizers": [f for f in owner["metadata"]["finalizers"] if f != finalizer]}
        self._store.put(resource, {**owner, "metadata": metadata})
        if not metadata["finalizers"]:
            self._store.remove(resource, metadata["namespace"], metadata["name"])
