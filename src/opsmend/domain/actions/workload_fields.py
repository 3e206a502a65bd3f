"""Where a workload keeps the fields that actions change."""

from typing import Any

from opsmend.domain.actions.action import BlastRadius, LiveObject
from opsmend.domain.record import JsonObject
from opsmend.domain.target import ObjectRef
from opsmend.errors import PlanStaleError, bounded


def template_of(workload: JsonObject) -> JsonObject:
    """The pod template of a Deployment, StatefulSet or DaemonSet."""
    template: JsonObject = workload["spec"]["template"]
    return template


def desired_replicas(workload: JsonObject) -> int:
    """How many pods it wants; a DaemonSet says so in its status, others default to 1 as Kubernetes does."""
    if workload.get("kind") == "DaemonSet":
        return int(workload.get("status", {}).get("desiredNumberScheduled", 0))
    return int(workload["spec"].get("replicas", 1))


def all_pods_replaced(target: ObjectRef, live: LiveObject) -> BlastRadius:
    """The blast radius of any change of the pod template: a rollout replaces every pod."""
    pods = desired_replicas(live.object)
    return BlastRadius(pods=pods, interrupts=pods > 0, objects=(target,))


def container_of(workload: JsonObject, name: str) -> dict[str, Any]:
    """The container `name` (init containers included) of the pod template, to be changed in place on a copy.

    Raises:
        PlanStaleError: the template has no such container.
    """
    spec = template_of(workload)["spec"]
    containers: list[dict[str, Any]] = [*spec.get("containers", []), *spec.get("initContainers", [])]
    for container in containers:
        if container["name"] == name:
            return container
    known = ", ".join(c["name"] for c in containers)
    raise PlanStaleError(bounded(f"the pod template has no container {name!r} (it has {known}). Investigate again."))


def put_or_drop(holder: dict[str, Any], field: str, value: Any) -> None:
    """Set `field`, or drop it when `value` is empty: the API server leaves empty optional fields out, so plans must too."""
    if value is None or value in ("", [], {}):
        holder.pop(field, None)
    else:
        holder[field] = value
