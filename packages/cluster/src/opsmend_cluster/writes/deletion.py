"""Deleting: preconditions, grace of pods, finalizers, and what happens to dependents."""

from typing import Final, Literal

from opsmend_cluster.objects.clock import timestamp
from opsmend_cluster.objects.kinds import NAMESPACES, PODS, JsonObject, Resource
from opsmend_cluster.objects.status import ApiError, bad_request
from opsmend_cluster.objects.store import Store

Propagation = Literal["Background", "Foreground", "Orphan"]
_FINALIZERS: Final = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}


def propagation_of(options: JsonObject) -> Propagation:
    """Raises:
    ApiError: 400, an unknown policy.
    """
    policy = options.get("propagationPolicy") or ("Orphan" if options.get("orphanDependents") else "Background")
    match policy:
        case "Background" | "Foreground" | "Orphan":
            found: Propagation = policy
            return found
        case _:
            raise bad_request(f"invalid propagationPolicy {policy!r}")


def delete(store: Store, resource: Resource, obj: JsonObject, options: JsonObject, *, dry_run: bool = False) -> JsonObject:
    """The object as deletion left it: gone, or marked and waiting for its grace period or finalizers.

    `options` is a DeleteOptions.

    Raises:
        ApiError: 409, a precondition does not hold.
    """
    metadata = obj["metadata"]
    _check_preconditions(resource, metadata, options.get("preconditions") or {})
    finalizers = list(metadata.get("finalizers") or [])
    if added := _FINALIZERS.get(propagation_of(options)):
        finalizers.append(added)
    grace = _grace_seconds(resource, obj, options)
    if not grace and not finalizers and resource is not NAMESPACES:
        return obj if dry_run else store.remove(resource, metadata.get("namespace", ""), metadata["name"])
    if "deletionTimestamp" in metadata and metadata.get("deletionGracePeriodSeconds", 0) <= grace:
        return obj
    marked: JsonObject = {
        **obj,
        "metadata": {**metadata, "deletionTimestamp": timestamp(), "deletionGracePeriodSeconds": grace},
    }
    if finalizers:
        marked["metadata"]["finalizers"] = finalizers
    if resource is NAMESPACES:
        marked["status"] = {"phase": "Terminating"}
    return marked if dry_run else store.put(resource, marked)


def _grace_seconds(resource: Resource, obj: JsonObject, options: JsonObject) -> int:
    if resource is not PODS or not obj["spec"].get("nodeName"):
        return 0
    wished = options.get("gracePeriodSeconds")
    return int(obj["spec"].get("terminationGracePeriodSeconds", 30) if wished is None else wished)


def _check_preconditions(resource: Resource, metadata: JsonObject, preconditions: JsonObject) -> None:
    for field, label in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        if preconditions.get(field) and preconditions[field] != metadata[field]:
            message = (
                f'Operation cannot be fulfilled on {resource.qualified} "{metadata["name"]}": the {label} in the precondition '
                f"({preconditions[field]}) does not match the {label} in record ({metadata[field]}). "
                "The object might have been deleted and then recreated"
            )
            raise ApiError(409, "Conflict", message, {"name": metadata["name"], "kind": resource.plural})
