"""The neighbourhoods of the Services that the target calls, where one of them is suspected."""

from typing import Final

from opsmend.agents.sre.causes import find_causes
from opsmend.agents.sre.looks.neighbours import look_at_neighbours
from opsmend.agents.sre.reading.connections import signs_of
from opsmend.domain.health import assess
from opsmend.domain.ports.cluster import ClusterReader
from opsmend.domain.service_routing import pod_labels, selects
from opsmend.domain.snapshot import Dependency, Snapshot
from opsmend.domain.target import ObjectRef, Target
from opsmend.domain.verification import Health
from opsmend.errors import ClusterForbiddenError

DEPTH: Final = 2
"""What a dependency depends on is looked at too, what that depends on is not."""
MOST_READ: Final = 3
"""Neighbourhoods of one investigation. Each is some 15 calls, and who blames more than three blames the network."""
EXPLAINS: Final = 0.85
"""A finding of the target's own that is so sure, and no symptom, makes others' state pointless."""


async def look_at_dependencies(cluster: ClusterReader, snapshot: Snapshot) -> Snapshot:
    return await _Look(cluster).around(snapshot, DEPTH)


class _Look:
    """Counts what it reads and never goes in a circle."""

    def __init__(self, cluster: ClusterReader) -> None:
        self._cluster = cluster
        self._left = MOST_READ
        self._known: set[ObjectRef] = set()

    async def around(self, snapshot: Snapshot, depth: int) -> Snapshot:
        self._known.add(snapshot.target.ref)
        if snapshot.workload:
            labels = pod_labels(snapshot.workload)
            self._known |= {snapshot.workload.ref, *(s.ref for s in snapshot.services if selects(s, labels))}
        if _explained(snapshot):
            return snapshot
        for dependency in _suspects(snapshot):
            if self._left and dependency.ref not in self._known:
                self._left -= 1
                snapshot = await self._look_at(snapshot, dependency, depth)
        return snapshot

    async def _look_at(self, snapshot: Snapshot, dependency: Dependency, depth: int) -> Snapshot:
        self._known.add(dependency.ref)
        try:
            found = await self._cluster.snapshot(Target.of(snapshot.target.cluster, dependency.ref))
        except ClusterForbiddenError as e:
            return snapshot.model_copy(update={"unseen": (*snapshot.unseen, f"{dependency.ref}: {e}")})
        if not found.exists:
            return _with(snapshot, dependency, exists=_would_be_here(dependency), calls=found.api_calls)
        if found.workload and found.workload.ref in self._known:
            return _with(snapshot, dependency, exists=True, calls=found.api_calls)
        found = await look_at_neighbours(self._cluster, found)
        if depth > 1:
            found = await self.around(found, depth - 1)
        return _with(snapshot, dependency, exists=True, calls=found.api_calls, around=found)


def _explained(snapshot: Snapshot) -> bool:
    return any(f.rank <= 1 and f.confidence >= EXPLAINS for f in find_causes(snapshot))


def _suspects(snapshot: Snapshot) -> list[Dependency]:
    """Those that the target complains about, surest first; else those that cannot serve, if the target is not well."""
    signs = {dependency.ref: signs_of(snapshot, dependency) for dependency in snapshot.dependencies}
    named = [d for d in snapshot.dependencies if any(sign.named for sign in signs[d.ref])]
    by_port = [d for d in snapshot.dependencies if signs[d.ref] and d not in named]
    silent = [d for d in snapshot.dependencies if not signs[d.ref] and d.service and not d.service.ready_endpoints]
    failing = assess(snapshot).health is not Health.HEALTHY
    return [d for d in (*named, *by_port, *(silent if failing else ())) if d.exists is not False]


def _would_be_here(dependency: Dependency) -> bool | None:
    """`name.namespace` may as well be a host outside of the cluster: only the long form tells that it is none."""
    return False if any(".svc" in host for host in dependency.hosts) else None


def _with(
    snapshot: Snapshot, dependency: Dependency, *, exists: bool | None, calls: int, around: Snapshot | None = None
) -> Snapshot:
    seen = dependency.model_copy(update={"exists": exists, "snapshot": around})
    others = tuple(seen if d.ref == dependency.ref else d for d in snapshot.dependencies)
    unseen = (*snapshot.unseen, *(f"{dependency.ref}: {reason}" for reason in (around.unseen if around else ())))
    return snapshot.model_copy(update={"dependencies": others, "unseen": unseen, "api_calls": snapshot.api_calls + calls})
