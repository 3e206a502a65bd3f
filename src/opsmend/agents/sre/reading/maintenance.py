"""Which declared maintenance concerns the target."""

from opsmend.domain.maintenance import Maintenance
from opsmend.domain.snapshot import Node, Snapshot
from opsmend.domain.target import Kind


def declared(snapshot: Snapshot) -> tuple[Maintenance, ...]:
    """Of the workload, its namespace, and the nodes that can be why it is not well; believable or not."""
    nodes = [node.maintenance for node in snapshot.nodes if node.maintenance and _concerns(snapshot, node)]
    return (*snapshot.maintenance, *nodes)


def _concerns(snapshot: Snapshot, node: Node) -> bool:
    """A node with none but ready pods of the target on it does not; one that was emptied and closed for it may."""
    if snapshot.target.kind is Kind.NODE:
        return snapshot.target.name == node.name
    unready = [pod for pod in snapshot.pods if not pod.ready and pod.phase not in ("Succeeded", "Failed")]
    return any(pod.node == node.name or (node.unschedulable and not pod.node) for pod in unready)
