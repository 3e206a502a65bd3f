"""Reads a target's neighbourhood into a typed snapshot, and single objects for actions. Changes nothing."""

import asyncio
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Final

from opsmend.adapters.kubernetes.connection import Connection
from opsmend.adapters.kubernetes.live_object import read_live
from opsmend.adapters.kubernetes.neighbourhood.config import read_config
from opsmend.adapters.kubernetes.neighbourhood.dependencies import dependencies_of
from opsmend.adapters.kubernetes.neighbourhood.events import read_events, read_events_of
from opsmend.adapters.kubernetes.neighbourhood.fields import controller_of, selector_text
from opsmend.adapters.kubernetes.neighbourhood.jobs import job_run, newest_run, telling_pods
from opsmend.adapters.kubernetes.neighbourhood.maintenance import maintenance_of, read_namespace_maintenance
from opsmend.adapters.kubernetes.neighbourhood.neighbours import read_neighbours
from opsmend.adapters.kubernetes.neighbourhood.owners import Resolved, resolve, workload_of
from opsmend.adapters.kubernetes.neighbourhood.pods import (
    is_sick,
    pod_from,
    sick_first,
    with_logs,
    with_one_log,
    with_specs,
)
from opsmend.adapters.kubernetes.neighbourhood.room import read_all_nodes, read_occupied
from opsmend.adapters.kubernetes.neighbourhood.storage import claims_of, mounts, read_storage
from opsmend.adapters.kubernetes.neighbourhood.surroundings import (
    concerns,
    node_from,
    read_autoscalers,
    read_nodes,
    read_quotas,
    read_services,
)
from opsmend.adapters.kubernetes.neighbourhood.usage import read_cpu
from opsmend.adapters.kubernetes.neighbourhood.workloads import read_revisions, redacted, workload_from
from opsmend.adapters.kubernetes.reading import Reading
from opsmend.adapters.kubernetes.resources import RESOURCES
from opsmend.adapters.kubernetes.reversions import read_reversions
from opsmend.domain.actions.action import Action, LiveObject
from opsmend.domain.actions.workload_fields import desired_replicas
from opsmend.domain.execution import AppliedChange, Reversion
from opsmend.domain.health import unready_for_no_reason_of_its_own, well_at_a_glance
from opsmend.domain.job import JobRun
from opsmend.domain.maintenance import Maintenance
from opsmend.domain.neighbour import Neighbour
from opsmend.domain.ports.cluster import Look
from opsmend.domain.ports.last_good import LastGood
from opsmend.domain.record import JsonObject
from opsmend.domain.service_hosts import host_mentions, service_names
from opsmend.domain.snapshot import (
    Autoscaler,
    ConfigReference,
    Dependency,
    Event,
    Node,
    Pod,
    Quota,
    Revision,
    Service,
    Snapshot,
    Workload,
)
from opsmend.domain.storage import Storage
from opsmend.domain.target import WORKLOAD_KINDS, Kind, ObjectRef, Target

_REVISIONS_WITH_EVENTS: Final = 1
_JOBS_LOOKED_AT: Final = 3
_AT_A_GLANCE: Final = 1000
"""Pods of a namespace that are listed in one call. Where there are more, a glance is none."""
_ON_A_NODE: Final = 200
"""Pods of a node that are looked at. Kubernetes' own default allows 110."""


class _Depth(Enum):
    GLANCE = auto()
    """No more than the workload's own status while that says that all is well, and its pods while it says that it is not."""
    HEALTH = auto()
    """What judging health needs: no logs, events, configuration, quotas; nodes only of pods that are not ready for no reason of
    their own."""
    ALL = auto()


class KubernetesReader:
    """ClusterReader. Stateless but for the connection, so one serves any number of callers at once."""

    def __init__(
        self, connection: Connection, last_good: LastGood | None = None, watched: frozenset[str] = frozenset()
    ) -> None:
        """`last_good` is asked about the ConfigMaps of the namespaces `watched`, of which it is kept up to date."""
        self._connection = connection
        self._last_good = last_good
        self._watched = watched

    async def read(self, action: Action, known: LiveObject | None = None, revisions: tuple[Revision, ...] = ()) -> LiveObject:
        return await read_live(Reading(self._connection), action, known, revisions)

    async def reverted(self, change: AppliedChange) -> Reversion | None:
        return next(iter(await read_reversions(Reading(self._connection), (change,))), None)

    async def nodes(self) -> tuple[Node, ...]:
        return await read_all_nodes(Reading(self._connection))

    async def occupied(self, node: Node) -> Node:
        return await read_occupied(Reading(self._connection), node)

    async def neighbours(self, namespace: str) -> tuple[Neighbour, ...]:
        return await read_neighbours(Reading(self._connection), namespace)

    async def cpu(self, workload: Workload) -> dict[str, float]:
        return await read_cpu(Reading(self._connection), workload)

    async def snapshot(self, target: Target) -> Snapshot:
        """10 to 14 calls for an ordinary incident, whatever else is in the namespace.

        It is the cache of the incident: SRE stores it, and rules, memory, model and the Architect's proposals all work on the
        stored one. Only what is changed, and whether that helped, is looked at again.
        """
        return await self._see(Reading(self._connection), target, _Depth.ALL)

    async def glance(self, target: Target) -> Snapshot | None:
        self._connection.require_cluster(target.cluster)
        if target.kind not in (*WORKLOAD_KINDS, Kind.POD):
            return None
        reading, taken_at = Reading(self._connection), datetime.now(UTC)
        first_page = reading.first_page(RESOURCES[Kind.POD], target.namespace, limit=_AT_A_GLANCE)
        listed, complete = await reading.attempt("pods", first_page, ([], False))
        if not complete:
            return None
        items = [item for item in listed if _is_of(target, item)]
        pods = with_specs(tuple(map(pod_from, items)), items)
        events: tuple[Event, ...] = ()
        if waiting := [pod for pod in sick_first(pods) if any("Image" in c.waiting_reason for c in pod.containers)]:
            ref = ObjectRef(kind=Kind.POD, namespace=target.namespace, name=waiting[0].name)
            events = await reading.attempt(f"events of {ref}", read_events_of(reading, ref), ())
        else:
            pods = await with_one_log(reading, pods)
        return Snapshot(
            taken_at=taken_at, target=target, pods=pods, events=events, unseen=tuple(reading.unseen), api_calls=reading.calls
        )

    async def look(self, target: Target, changes: tuple[AppliedChange, ...] = (), *, closely: bool) -> Look:
        """One call while the workload says that it is well, three while it does not, four or five when looked at closely."""
        reading = Reading(self._connection)
        snapshot = await self._see(reading, target, _Depth.HEALTH if closely else _Depth.GLANCE)
        reverted = await read_reversions(reading, changes)
        return Look(snapshot=snapshot.model_copy(update={"api_calls": reading.calls}), reverted=reverted)

    async def _see(self, reading: Reading, target: Target, depth: _Depth) -> Snapshot:
        self._connection.require_cluster(target.cluster)
        taken_at = datetime.now(UTC)
        resolved = await resolve(reading, target)
        if resolved is None:
            return Snapshot(
                taken_at=taken_at, target=target, exists=False, unseen=tuple(reading.unseen), api_calls=reading.calls
            )
        if depth is _Depth.GLANCE and (workload := _well_itself(target, resolved)):
            return Snapshot(
                taken_at=taken_at,
                target=target,
                owner_chain=(target.ref,),
                workload=workload,
                glanced=True,
                api_calls=reading.calls,
            )
        last_good = self._last_good if target.namespace in self._watched else None
        neighbourhood = _Neighbourhood(reading, target, resolved, last_good, depth)
        return await neighbourhood.look(taken_at)


def _is_of(target: Target, pod: JsonObject) -> bool:
    return (workload_of(pod) or (str(Kind.POD), pod["metadata"]["name"])) == (str(target.kind), target.name)


def _well_itself(target: Target, resolved: Resolved) -> Workload | None:
    """The target, if it is a workload that says that it is well."""
    if resolved.workload is None or resolved.workload[0] != target.ref:
        return None
    workload = workload_from(*resolved.workload)
    return workload if well_at_a_glance(workload) else None


class _Neighbourhood:
    """One look at what surrounds a resolved target."""

    def __init__(self, reading: Reading, target: Target, resolved: Resolved, last_good: LastGood | None, depth: _Depth) -> None:
        self._reading = reading
        self._last_good = last_good
        self._target = target
        self._resolved = resolved
        self._everything = depth is _Depth.ALL
        self._workload = workload_from(*resolved.workload) if resolved.workload else None
        self._well = self._workload is not None and well_at_a_glance(self._workload)
        moves = self._workload is not None and self._workload.desired_replicas > 0 and not self._well
        self._no_services = depth is _Depth.GLANCE and target.kind is not Kind.SERVICE and moves
        """Whether traffic arrives proves nothing before the workload itself says that it is well."""
        self._job: JobRun | None = None
        """Known once its pods were read."""

    async def look(self, taken_at: datetime) -> Snapshot:
        (pods, revisions), called, autoscalers, quotas, maintenance = await asyncio.gather(
            self._pods_and_revisions(), self._config_and_services(), self._autoscalers(), self._quotas(), self._maintenance()
        )
        config, services, dependencies = called
        storage: Storage | None = None
        if self._everything:
            storage = await self._storage(pods)
            events, nodes, pods = await asyncio.gather(
                self._events(pods, revisions, storage),
                self._nodes(pods),
                with_logs(self._reading, pods, of_healthy=bool(dependencies)),
            )
        else:
            silent = tuple(pod for pod in pods if unready_for_no_reason_of_its_own(pod, taken_at))
            events, nodes = (), self._own_node() or await read_nodes(self._reading, silent)
        return Snapshot(
            taken_at=taken_at,
            target=self._target,
            owner_chain=tuple(self._resolved.chain),
            workload=self._workload,
            pods=pods,
            events=events,
            revisions=revisions,
            config=config,
            services=services,
            autoscalers=autoscalers,
            quotas=quotas,
            nodes=nodes,
            dependencies=dependencies,
            maintenance=maintenance,
            job=self._job,
            storage=storage,
            unseen=tuple(dict.fromkeys(self._reading.unseen)),
            api_calls=self._reading.calls,
        )

    async def _pods_and_revisions(self) -> tuple[tuple[Pod, ...], tuple[Revision, ...]]:
        workload = self._resolved.workload
        if workload is None:
            return self._pods(await self._pods_without_workload()), ()
        ref, obj = workload
        labels = selector_text(obj["spec"].get("selector") or {})
        items, revisions = await asyncio.gather(
            self._reading.attempt(f"pods of {ref}", self._reading.list(Kind.POD, ref.namespace, labels=labels), []),
            self._revisions(ref, obj),
        )
        mine = [item for item in items if _belongs(item, ref, obj, revisions)]
        return self._pods(mine), redacted(revisions)

    async def _revisions(self, ref: ObjectRef, obj: JsonObject) -> tuple[Revision, ...]:
        if not self._everything and self._well:
            return ()  # no pod of an older one is left
        return await self._reading.attempt(f"revisions of {ref}", read_revisions(self._reading, ref, obj), ())

    def _pods(self, items: list[JsonObject]) -> tuple[Pod, ...]:
        pods = tuple(map(pod_from, items))
        return with_specs(pods, items) if self._everything else pods

    async def _pods_without_workload(self) -> list[JsonObject]:
        reading = self._reading
        if node := self._resolved.of_kind(Kind.NODE):
            if not self._everything:
                return []
            # The one list across namespaces: pods of a node are kept together by nothing but this field.
            on_node = reading.list(Kind.POD, "", fields=f"spec.nodeName={node[0].name}", limit=_ON_A_NODE)
            return await reading.attempt(f"pods on {node[0]}", on_node, [])
        cron_job = self._resolved.of_kind(Kind.CRON_JOB)
        if job := self._resolved.of_kind(Kind.JOB):
            self._job = job_run(job[1], cron_job)
            return telling_pods(self._job, await self._pods_of_jobs(job[0].namespace, [job[1]]))
        if cron_job:
            namespace = cron_job[0].namespace
            jobs = await reading.attempt(f"jobs of {cron_job[0]}", reading.list(Kind.JOB, namespace), [])
            mine = [job for job in jobs if (controller_of(job) or {}).get("uid") == cron_job[1]["metadata"].get("uid")]
            mine.sort(key=lambda job: str(job["metadata"].get("creationTimestamp")), reverse=True)
            self._job = newest_run(mine, cron_job)
            return telling_pods(self._job, await self._pods_of_jobs(namespace, mine[:_JOBS_LOOKED_AT]))
        if claim := self._resolved.of_kind(Kind.PERSISTENT_VOLUME_CLAIM):
            found = await reading.attempt(f"pods that mount {claim[0]}", reading.list(Kind.POD, claim[0].namespace), [])
            return [pod for pod in found if mounts(pod, claim[0].name)]
        pod = self._resolved.of_kind(Kind.POD)
        return [pod[1]] if pod else []

    async def _pods_of_jobs(self, namespace: str, jobs: list[JsonObject]) -> list[JsonObject]:
        found = []
        for job in jobs:
            labels = selector_text(job["spec"].get("selector") or {}) or f"job-name={job['metadata']['name']}"
            listed = self._reading.list(Kind.POD, namespace, labels=labels)
            found += await self._reading.attempt(f"pods of job {job['metadata']['name']}", listed, [])
        return found

    async def _config_and_services(self) -> tuple[tuple[ConfigReference, ...], tuple[Service, ...], tuple[Dependency, ...]]:
        """Together, for the configuration may name the Services that the target calls."""
        config = await self._config()
        template, namespace = self._resolved.template, self._target.namespace
        is_service = self._target.kind is Kind.SERVICE
        if self._no_services or not namespace or (template is None and not is_service):
            return config, (), ()
        labels = ((template or {}).get("metadata") or {}).get("labels") or {}
        names = {ref.name for ref in self._resolved.chain}
        mentions = host_mentions(template or {}, config) if self._everything else ()
        found = await read_services(self._reading, namespace, labels, names | service_names(mentions))
        services = tuple(service for service in found if concerns(service.ref.name, service.selector, labels, names))
        complete = not any(reason.startswith(("services", "endpoints")) for reason in self._reading.unseen)
        return config, services, dependencies_of(mentions, namespace, found, template or {}, complete=complete)

    async def _autoscalers(self) -> tuple[Autoscaler, ...]:
        workload = self._resolved.workload
        if workload is None or workload[0].kind is Kind.DAEMON_SET:
            return ()
        asked_for = self._target.kind is Kind.HORIZONTAL_POD_AUTOSCALER or desired_replicas(workload[1]) == 0
        if not self._everything and not asked_for:
            return ()  # for a workload without pods it tells whether that is well
        return await read_autoscalers(self._reading, workload[0])

    async def _quotas(self) -> tuple[Quota, ...]:
        if not self._everything or not self._target.namespace:
            return ()
        return await read_quotas(self._reading, self._target.namespace)

    async def _config(self) -> tuple[ConfigReference, ...]:
        template = self._resolved.template
        if not self._everything or template is None:
            return ()
        return await read_config(self._reading, template, self._target.namespace, self._last_good)

    async def _maintenance(self) -> tuple[Maintenance, ...]:
        if not self._everything or not self._target.namespace:
            return ()
        # Not of the ReplicaSet or the pod in between: they keep annotations that were taken off their owner.
        owners = [self._resolved.workload, self._resolved.of_kind(Kind.JOB), self._resolved.of_kind(Kind.CRON_JOB)]
        declared = [maintenance_of(*owner) for owner in owners if owner]
        declared.append(await read_namespace_maintenance(self._reading, self._target.namespace))
        return tuple(window for window in declared if window is not None)

    async def _storage(self, pods: tuple[Pod, ...]) -> Storage | None:
        """Read only when a pod that mounts a claim has no node, or when the claim itself is the target."""
        waiting = claims_of(pods)
        if claim := self._resolved.of_kind(Kind.PERSISTENT_VOLUME_CLAIM):
            waiting = {claim[0]: waiting.get(claim[0], [])}
        return await read_storage(self._reading, waiting) if waiting else None

    async def _events(
        self, pods: tuple[Pod, ...], revisions: tuple[Revision, ...], storage: Storage | None
    ) -> tuple[Event, ...]:
        namespace = self._target.namespace
        chain = self._resolved.chain
        own, around = list(dict.fromkeys((chain[0], chain[-1]))), chain[1:-1]
        own += [claim.ref for claim in storage.claims if claim.exists and claim.phase != "Bound"] if storage else []
        if self._target.kind is Kind.NODE:
            return await read_events(self._reading, own, [], [])
        if self._resolved.workload and self._resolved.workload[0].kind is Kind.DEPLOYMENT:
            # A ReplicaSet tells why it cannot create its pods (quota, admission).
            names = [revision.name for revision in revisions[:_REVISIONS_WITH_EVENTS]]
            around += [ObjectRef(kind=Kind.REPLICA_SET, namespace=namespace, name=name) for name in names]
        sick = [ObjectRef(kind=Kind.POD, namespace=namespace, name=pod.name) for pod in sick_first(pods) if is_sick(pod)]
        return await read_events(self._reading, own, list(dict.fromkeys(around)), sick)

    async def _nodes(self, pods: tuple[Pod, ...]) -> tuple[Node, ...]:
        return self._own_node() or await read_nodes(self._reading, pods)

    def _own_node(self) -> tuple[Node, ...]:
        node = self._resolved.of_kind(Kind.NODE)
        return (node_from(node[1]),) if node else ()


def _belongs(pod: JsonObject, ref: ObjectRef, workload: JsonObject, revisions: tuple[Revision, ...]) -> bool:
    """Whether the workload controls the pod: careless selectors match pods of others too."""
    owner = controller_of(pod)
    if owner is None:
        return False
    if ref.kind is not Kind.DEPLOYMENT:
        return bool(owner.get("uid") == workload["metadata"].get("uid"))
    if not revisions:
        return workload_of(pod) == (str(ref.kind), ref.name)
    return owner.get("name") in {revision.name for revision in revisions}
