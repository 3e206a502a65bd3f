"""The nodes of the cluster, and what their pods ask for."""

from collections import defaultdict
from decimal import Decimal
from typing import Final

from opsmend.adapters.kubernetes.neighbourhood.surroundings import node_from
from opsmend.adapters.kubernetes.reading import Reading
from opsmend.domain.pod_requests import pod_requests
from opsmend.domain.snapshot import Node
from opsmend.domain.target import Kind

_NODES: Final = 100
_PODS: Final = 500
"""More than a node holds: the kubelet's own limit is 110 unless set otherwise, and the highest that providers set is 256."""
_ENDED: Final = ("Succeeded", "Failed")


async def read_all_nodes(reading: Reading) -> tuple[Node, ...]:
    return tuple(node_from(node) for node in await reading.list(Kind.NODE, "", limit=_NODES))


async def read_occupied(reading: Reading, node: Node) -> Node:
    """Pods that ended hold no room."""
    running = ",".join([f"spec.nodeName={node.name}", *(f"status.phase!={phase}" for phase in _ENDED)])
    pods = await reading.list(Kind.POD, "", fields=running, limit=_PODS)
    total: dict[str, Decimal] = defaultdict(Decimal)
    for pod in pods:
        total["pods"] += 1
        for name, amount in pod_requests(pod).items():
            total[name] += amount
    return node.model_copy(update={"requested": {name: str(amount) for name, amount in total.items()}})
