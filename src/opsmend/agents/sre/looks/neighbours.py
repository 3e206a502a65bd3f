"""Who else is in the namespace, where a quota refused a pod."""

from opsmend.agents.sre.detectors.quota_exceeded import refusals
from opsmend.domain.ports.cluster import ClusterReader
from opsmend.domain.snapshot import Snapshot
from opsmend.errors import ClusterForbiddenError


async def look_at_neighbours(cluster: ClusterReader, snapshot: Snapshot) -> Snapshot:
    if not refusals(snapshot):
        return snapshot
    try:
        found = await cluster.neighbours(snapshot.target.namespace)
    except ClusterForbiddenError as e:
        return snapshot.model_copy(update={"unseen": (*snapshot.unseen, f"neighbours: {e}")})
    return snapshot.model_copy(update={"neighbours": found, "api_calls": snapshot.api_calls + 4})
