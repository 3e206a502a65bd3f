"""Closer looks: what is read beyond the target's own neighbourhood, and only when what was read already calls for it.

Each takes a snapshot and returns it with more in it. A look that may not be taken leaves its part out and says so in `unseen`.
"""

from opsmend.agents.sre.looks.dependencies import look_at_dependencies
from opsmend.agents.sre.looks.load import look_at_load
from opsmend.agents.sre.looks.maximum import look_at_maximum
from opsmend.agents.sre.looks.neighbours import look_at_neighbours
from opsmend.agents.sre.looks.room import look_for_room
from opsmend.domain.alert import Alert
from opsmend.domain.ports.cluster import ClusterReader
from opsmend.domain.ports.metrics import Metrics
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.target import Target


async def look_around(cluster: ClusterReader, metrics: Metrics, target: Target, alerts: tuple[Alert, ...]) -> Snapshot:
    """All that an investigation sees. Raises what ClusterReader.snapshot raises."""
    snapshot = await cluster.snapshot(target)
    snapshot = await look_at_neighbours(cluster, snapshot)
    snapshot = await look_at_dependencies(cluster, snapshot)
    snapshot = await look_at_load(cluster, metrics, snapshot, alerts)
    snapshot = await look_at_maximum(metrics, snapshot, alerts)
    return await look_for_room(cluster, snapshot)
