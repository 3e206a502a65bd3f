"""Whether there is room for more pods of a workload: in the quotas of its namespace and on the nodes."""

from decimal import Decimal

from opsmend.agents.sre.reading.placement import obstacles
from opsmend.domain.pod_requests import pod_requests, pod_usage
from opsmend.domain.quantity import quantity
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Node, Quota, Snapshot


def why_no_room(snapshot: Snapshot, template: JsonObject, pods: int) -> str:
    """Why `pods` more do not fit; empty when they do. Room that was not looked at is none."""
    for quota in snapshot.quotas:
        if shortage := quota_shortage(quota, template, pods):
            return f"{quota.ref} has no room for {pods} more: {shortage}"
    if any(text.startswith("resource quotas") for text in snapshot.unseen):
        return "the quotas of the namespace could not be looked at"
    room = sum(pods_that_fit(template, node) for node in snapshot.nodes)
    if room >= pods:
        return ""
    looked_at = sum(node.requested is not None for node in snapshot.nodes)
    return f"the {looked_at} nodes that were looked at have room for {room} more pods, {pods} are needed"


def quota_shortage(quota: Quota, template: JsonObject, pods: int = 1) -> str:
    """Which resource `pods` more would overdraw, with the numbers; empty when they fit."""
    for name, need in pod_usage(template).items():
        hard, used = quantity(quota.hard.get(name)), quantity(quota.used.get(name))
        if hard is not None and used is not None and need > 0 and used + pods * need > hard:
            return f"{name}: {quota.used[name]} used of {quota.hard[name]}, {_plain(need)} more needed for each pod"
    return ""


def pods_that_fit(template: JsonObject, node: Node) -> int:
    """How many more the scheduler could place there, by what the node's pods ask for; none where nobody looked."""
    if node.requested is None or not obstacles(template, node).none:
        return 0
    needs = pod_requests(template) | {"pods": Decimal(1)}
    fitting = [_free(node, node.requested, name) // need for name, need in needs.items() if need > 0]
    return max(int(min(fitting)), 0)


def _free(node: Node, requested: dict[str, str], name: str) -> Decimal:
    return (quantity(node.allocatable.get(name)) or Decimal(0)) - (quantity(requested.get(name)) or Decimal(0))


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
