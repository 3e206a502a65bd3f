"""Reads the workloads of a namespace and single ConfigMaps, for the record of good configurations. Changes nothing.

Four lists, page by page, and one call a ConfigMap. ReplicaSets are not among the lists: they are the largest of all, and the
name of a pod's owner tells its Deployment as well.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from opsmend.adapters.kubernetes.connection import Connection
from opsmend.adapters.kubernetes.neighbourhood.config import config_maps_of
from opsmend.adapters.kubernetes.neighbourhood.fields import last_write, ref_of
from opsmend.adapters.kubernetes.neighbourhood.owners import workload_of
from opsmend.adapters.kubernetes.neighbourhood.pods import pod_from
from opsmend.adapters.kubernetes.neighbourhood.workloads import workload_from
from opsmend.adapters.kubernetes.reading import MOST_OBJECTS, Reading
from opsmend.domain.actions.workload_fields import template_of
from opsmend.domain.ports.namespaces import ConfigMapSeen, NamespaceSeen
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import ConfigReference, Pod, Snapshot
from opsmend.domain.target import WORKLOAD_KINDS, Kind, ObjectRef, Target

_Owner = tuple[str, str]
"""Kind and name."""


class KubernetesNamespaces:
    """Implements Namespaces."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def workloads(self, cluster: str, namespace: str) -> NamespaceSeen:
        self._connection.require_cluster(cluster)
        reading, taken_at = Reading(self._connection), datetime.now(UTC)
        kinds = sorted(WORKLOAD_KINDS)
        pods, *listed = await reading.all(
            reading.list(Kind.POD, namespace, limit=MOST_OBJECTS),
            *(
                reading.attempt(f"{kind}s of {namespace}", reading.list(kind, namespace, limit=MOST_OBJECTS), [])
                for kind in kinds
            ),
        )
        owned = _by_owner(pods)
        found = [(ref_of(kind, obj), obj) for kind, objects in zip(kinds, listed, strict=True) for obj in objects]
        return NamespaceSeen(
            workloads=tuple(
                Snapshot(
                    taken_at=taken_at,
                    target=Target.of(cluster, ref),
                    owner_chain=(ref,),
                    workload=workload_from(ref, obj),
                    pods=tuple(owned[ref.kind, ref.name]),
                    config=tuple(ConfigReference(ref=c) for c in config_maps_of(template_of(obj), namespace)),
                )
                for ref, obj in found
            ),
            unseen=tuple(dict.fromkeys(reading.unseen)),
            api_calls=reading.calls,
        )

    async def config_map(self, cluster: str, ref: ObjectRef) -> ConfigMapSeen:
        self._connection.require_cluster(cluster)
        return config_map_from(ref, await Reading(self._connection).object(ref))


def config_map_from(ref: ObjectRef, obj: JsonObject) -> ConfigMapSeen:
    """Unredacted."""
    written_at, written_by = last_write(obj, "data")
    return ConfigMapSeen(
        ref=ref,
        uid=obj["metadata"].get("uid", ""),
        resource_version=obj["metadata"].get("resourceVersion", ""),
        data=obj.get("data") or {},
        binary_keys=tuple(sorted(obj.get("binaryData") or {})),
        written_at=written_at,
        written_by=written_by,
    )


def _by_owner(pods: Iterable[JsonObject]) -> defaultdict[_Owner, list[Pod]]:
    owned: defaultdict[_Owner, list[Pod]] = defaultdict(list)
    for pod in pods:
        if owner := workload_of(pod):
            owned[owner].append(pod_from(pod))
    return owned
