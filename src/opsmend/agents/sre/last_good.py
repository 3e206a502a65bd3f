"""Keeping the configuration of watched namespaces while it is good. Reads the cluster, changes nothing in it."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from opsmend.domain.actions.patch_config import VALUE_LIMIT
from opsmend.domain.health import assess
from opsmend.domain.last_good import ConfigRecord, Content, LastGoodKept, Runner, Sighting
from opsmend.domain.ports.artifacts import Artifacts
from opsmend.domain.ports.last_good import LastGood
from opsmend.domain.ports.namespaces import ConfigMapSeen, Namespaces
from opsmend.domain.snapshot import Pod, Snapshot
from opsmend.domain.target import ObjectRef
from opsmend.domain.verification import Health
from opsmend.errors import NotWatchedError, OpsmendError, bounded
from opsmend.policy.redaction import redact, redact_json

MOST_CONFIG_MAPS: Final = 200
"""ConfigMaps of one namespace that are looked at, a call each."""

_UNSEEN_KEPT: Final = 10
"""Things unseen that are told: the result goes into workflow history every few minutes."""


class GoodKeeper:
    """Looks only at `namespaces`, whatever it is asked for: who can write to a task queue must not choose what is read."""

    def __init__(
        self,
        cluster: Namespaces,
        last_good: LastGood,
        artifacts: Artifacts,
        *,
        namespaces: Iterable[str] = (),
        steady_after: timedelta = timedelta(),
    ) -> None:
        """`steady_after`: how old the youngest pod of a workload must be before its configuration counts as good."""
        self.namespaces = frozenset(namespaces)
        self._cluster = cluster
        self._last_good = last_good
        self._artifacts = artifacts
        self._steady_after = steady_after

    async def keep(self, cluster: str, namespace: str) -> LastGoodKept:
        """One look at a namespace.

        Raises:
            NotWatchedError: it is not one of `namespaces`.
            ClusterUnavailableError, ClusterForbiddenError, OtherClusterError: its pods could not be read.
        """
        if namespace not in self.namespaces:
            raise NotWatchedError(f"namespace {bounded(namespace, 64)} is not named in OPSMEND_LAST_GOOD__NAMESPACES")
        seen = await self._cluster.workloads(cluster, namespace)
        well = [snapshot for snapshot in seen.workloads if self._is_well(snapshot)]
        runners = _runners(well)
        unseen = list(seen.unseen)
        if len(runners) > MOST_CONFIG_MAPS:
            unseen.append(f"ConfigMaps: only {MOST_CONFIG_MAPS} of {len(runners)} were looked at")
        chosen = list(runners.items())[:MOST_CONFIG_MAPS]
        looks = await asyncio.gather(*(self._look(cluster, ref, proof, unseen) for ref, proof in chosen))
        records = [record for record in looks if record]
        return LastGoodKept(
            namespace=namespace,
            workloads=len(seen.workloads),
            healthy=len(well),
            config_maps=len(records),
            good=sum(bool(r.versions) and r.versions[0].content.sha256 == r.holds for r in records),
            unseen=tuple(unseen[:_UNSEEN_KEPT]),
            api_calls=seen.api_calls + len(chosen),
        )

    def _is_well(self, snapshot: Snapshot) -> bool:
        """Healthy by domain/health, and for long enough to believe in it."""
        births = [pod.created_at for pod in _living(snapshot)]
        young = any(born is None or snapshot.taken_at - born < self._steady_after for born in births)
        return bool(births) and not young and assess(snapshot).health is Health.HEALTHY

    async def _look(self, cluster: str, ref: ObjectRef, proof: list[Runner], unseen: list[str]) -> ConfigRecord | None:
        """One ConfigMap that cannot be read, or kept, leaves the others alone."""
        try:
            seen = await self._cluster.config_map(cluster, ref)
            content = keepable(seen)
            kept = await self._artifacts.put(content.model_dump_json().encode(), "application/json")
            sighting = Sighting(
                ref=ref,
                uid=seen.uid,
                at=datetime.now(UTC),
                content=kept,
                written_at=seen.written_at,
                resource_version=seen.resource_version,
                by=seen.written_by,
                runners=tuple(proof),
            )
            return await self._last_good.note(sighting)
        except OpsmendError as e:
            unseen.append(f"{ref}: {bounded(str(e), 200)}")
            return None


def keepable(seen: ConfigMapSeen) -> Content:
    """What may be kept of a ConfigMap: values in which redaction finds nothing and that could be written back."""
    data: dict[str, str] = {}
    masked = redact_json(seen.data)
    left_out = {redact(key): "it holds binary data" for key in seen.binary_keys}
    for key, value in sorted(seen.data.items()):
        if len(value.encode()) > VALUE_LIMIT:
            left_out[redact(key)] = f"its value has more than {VALUE_LIMIT} bytes"
        elif masked.get(key) != value:
            left_out[redact(key)] = "it looks as if it held a secret"
        else:
            data[key] = value
    return Content(data=data, left_out=left_out)


def _living(snapshot: Snapshot) -> list[Pod]:
    """Without those that ended: evicted pods, say, stay listed though their controller has replaced them."""
    return [pod for pod in snapshot.pods if not pod.deleting and pod.phase not in ("Succeeded", "Failed")]


def _runners(well: Iterable[Snapshot]) -> dict[ObjectRef, list[Runner]]:
    """Each ConfigMap that a healthy workload reads, with the workloads that read it."""
    runners: defaultdict[ObjectRef, list[Runner]] = defaultdict(list)
    for snapshot in well:
        oldest = min(pod.created_at for pod in _living(snapshot) if pod.created_at)
        for config in snapshot.config:
            runners[config.ref].append(Runner(workload=snapshot.target.ref, oldest_pod_at=oldest))
    return runners
