"""How much room the nodes have, where more pods are wanted."""

from typing import Final

from opsmend.agents.sre.detectors.autoscaler_limited import wanted
from opsmend.agents.sre.detectors.overloaded import needed_load, replicas_needed
from opsmend.agents.sre.reading.placement import obstacles
from opsmend.agents.sre.reading.room import pods_that_fit
from opsmend.domain.health import limited
from opsmend.domain.ports.cluster import ClusterReader
from opsmend.domain.snapshot import Node, Snapshot, Workload
from opsmend.errors import ClusterForbiddenError

MOST_NODES: Final = 10
"""Nodes whose pods are counted, a call each; it ends as soon as those that were counted have room enough."""


async def look_for_room(cluster: ClusterReader, snapshot: Snapshot) -> Snapshot:
    workload = snapshot.workload
    pods = _pods_wanted(snapshot, workload) if workload else 0
    if workload is None or pods <= 0:
        return snapshot
    try:
        counted = await _counted(cluster, workload, pods)
    except ClusterForbiddenError as e:
        return snapshot.model_copy(update={"unseen": (*snapshot.unseen, f"room on the nodes: {e}")})
    names = {node.name for node in counted}
    nodes = (*counted, *(node for node in snapshot.nodes if node.name not in names))
    return snapshot.model_copy(update={"nodes": nodes, "api_calls": snapshot.api_calls + 1 + len(counted)})


def _pods_wanted(snapshot: Snapshot, workload: Workload) -> int:
    load = needed_load(snapshot)
    by_load = (replicas_needed(workload, load) or 0) - workload.desired_replicas if load else 0
    return max([by_load, *(wanted(scaler) - scaler.current_replicas for scaler in snapshot.autoscalers if limited(scaler))])


async def _counted(cluster: ClusterReader, workload: Workload, pods: int) -> list[Node]:
    """Nodes that nothing declared keeps from taking the pods, until they have room for `pods`."""
    counted: list[Node] = []
    possible = [node for node in await cluster.nodes() if obstacles(workload.template, node).none]
    for node in possible[:MOST_NODES]:
        counted.append(await cluster.occupied(node))
        pods -= pods_that_fit(workload.template, counted[-1])
        if pods <= 0:
            break
    return counted
