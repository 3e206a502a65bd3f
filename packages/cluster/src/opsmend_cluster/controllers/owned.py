"""Owners and what they own."""

from collections.abc import Iterable

from opsmend_cluster.objects.kinds import PODS, JsonObject, Resource
from opsmend_cluster.objects.store import Store


def owner_reference(owner: JsonObject) -> JsonObject:
    metadata = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": metadata["name"], "uid": metadata["uid"],
        "controller": True, "blockOwnerDeletion": True,
    }  # fmt: skip


def owned(store: Store, resource: Resource, owner: JsonObject) -> list[JsonObject]:
    """Objects of `resource` whose controller is `owner`."""
    uid, namespace = owner["metadata"]["uid"], owner["metadata"]["namespace"]
    return [obj for obj in store.all(resource, namespace) if controller_uid(obj) == uid]


def controller_uid(obj: JsonObject) -> str:
    references = obj["metadata"].get("ownerReferences") or []
    return next((str(r["uid"]) for r in references if r.get("controller")), "")


def is_going(obj: JsonObject) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def is_active(pod: JsonObject) -> bool:
    """Counts as a replica: neither finished nor on its way out."""
    return pod["status"].get("phase") not in ("Succeeded", "Failed") and not is_going(pod)


def is_ready(pod: JsonObject) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions") or [])


def count_ready(pods: Iterable[JsonObject]) -> int:
    return sum(is_ready(pod) for pod in pods)


def active_pods(store: Store, owner: JsonObject) -> list[JsonObject]:
    return [pod for pod in owned(store, PODS, owner) if is_active(pod)]


def deletion_rank(pod: JsonObject) -> tuple[bool, bool, str]:
    """Whom to delete first: the unscheduled, then the unready, then by name."""
    return bool(pod["spec"].get("nodeName")), is_ready(pod), pod["metadata"]["name"]
