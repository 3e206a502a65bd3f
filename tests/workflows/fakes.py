"""Ports in memory: a Deployment with a good and a bad revision, and people who are told things."""

import asyncio
import hashlib
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta

from opsmend.domain.actions.action import Action, LiveObject
from opsmend.domain.actions.object_digest import MARKER_ANNOTATION, marker_of, spec_digest
from opsmend.domain.alert import Alert
from opsmend.domain.call import Call
from opsmend.domain.diagnosis import Category, Evidence, Recollection
from opsmend.domain.execution import AppliedChange, DryRun, Reversion, StepRecord, StepStatus
from opsmend.domain.last_good import ConfigRecord, Content, LastGoodContent, Sighting, noted
from opsmend.domain.load import Load
from opsmend.domain.maintenance import Maintenance
from opsmend.domain.neighbour import Neighbour
from opsmend.domain.plan import PlannedStep
from opsmend.domain.ports.artifacts import ArtifactRef
from opsmend.domain.ports.chat import Alarm, MessageRef, Notice, StormDigest
from opsmend.domain.ports.cluster import Look
from opsmend.domain.ports.metrics import AlertCondition
from opsmend.domain.ports.namespaces import ConfigMapSeen, NamespaceSeen
from opsmend.domain.ports.pager import Page, Paged, PageOver
from opsmend.domain.postmortem import PostMortem
from opsmend.domain.record import JsonObject, digest
from opsmend.domain.snapshot import ConfigReference, Node, Revision, Snapshot, Workload
from opsmend.domain.target import Kind, ObjectRef, Target
from opsmend.errors import (
    ArtifactMissingError,
    ChatUnavailableError,
    ClusterForbiddenError,
    ClusterUnavailableError,
    MemoryUnavailableError,
    PlanStaleError,
)
from tests.builders import (
    a_condition,
    a_container,
    a_deployment,
    a_failed_rollout,
    a_node,
    a_pod,
    a_ref,
    a_snapshot,
    a_target,
    a_template,
    a_termination,
    a_workload,
    ago,
    some_revisions,
)

GOOD = a_template("registry.example/web:1.4.2")
BAD = a_template("registry.example/web:1.5.0")


class RoomForAll:
    """What closer looks see: one empty node, and nobody else. At a glance there is nothing to see."""

    async def glance(self, target: Target) -> Snapshot | None:
        return None

    async def nodes(self) -> tuple[Node, ...]:
        return (a_node(requested={}),)

    async def occupied(self, node: Node) -> Node:
        return node

    async def neighbours(self, namespace: str) -> tuple[Neighbour, ...]:
        return ()

    async def cpu(self, workload: Workload) -> dict[str, float]:
        return {}


class ClusterInMemory(RoomForAll):
    """Deployment shop/web at a crashing revision 2; it is well whenever its template is not `bad`."""

    def __init__(self) -> None:
        self.object: JsonObject = a_deployment(BAD)
        self.bad = digest(BAD)
        self.changes: list[str] = []
        """Markers of the changes made, in order."""
        self.before_apply: Callable[[], None] = lambda: None
        """What somebody else does right before our change."""
        self.windows: list[Maintenance] = []
        """Planned maintenance, one window for each investigation as long as there are any."""
        self.clock_is_off_by = timedelta()
        """How far the clock of the machine that investigates is ahead."""

    @property
    def well(self) -> bool:
        return digest(self.object["spec"]["template"]) != self.bad

    def break_by_rollout(self) -> None:
        self.object["spec"]["template"] = deepcopy(BAD)

    def edit(self) -> None:
        """Somebody scales it by hand."""
        self.object["spec"]["replicas"] += 1

    async def snapshot(self, target: Target) -> Snapshot:
        seen = self._seen(target)
        if not self.windows:
            return seen
        taken_at = datetime.now(UTC) + self.clock_is_off_by
        return seen.model_copy(update={"maintenance": (self.windows.pop(0),), "taken_at": taken_at})

    def _seen(self, target: Target) -> Snapshot:
        return a_snapshot(target=target) if self.well else a_failed_rollout(GOOD, BAD, target=target)

    async def look(self, target: Target, changes: tuple[AppliedChange, ...] = (), *, closely: bool) -> Look:
        snapshot = await self.snapshot(target)
        glanced = self.well and not closely
        reverted = [reversion for change in changes if (reversion := await self.reverted(change))]
        return Look(snapshot=snapshot.model_copy(update={"glanced": glanced}), reverted=tuple(reverted))

    async def read(self, action: Action, known: LiveObject | None = None, revisions: tuple[Revision, ...] = ()) -> LiveObject:
        return LiveObject(object=deepcopy(self.object), revisions=some_revisions(GOOD, BAD))

    async def reverted(self, change: AppliedChange) -> Reversion | None:
        if marker_of(self.object) == change.marker:
            return None
        return Reversion(steps=(change.step_id,), sentence=f"our change of {change.action.target} was reverted by mia")

    def require_cluster(self, cluster: str) -> None:
        """It stands for every cluster."""

    async def dry_run(self, step: PlannedStep, marker: str, revisions: tuple[Revision, ...] = ()) -> DryRun:
        if marker_of(self.object) != marker and spec_digest(self.object) != step.precondition.spec_digest:
            raise PlanStaleError("the Deployment was edited since the plan was made")
        return DryRun(step_id=step.id, resource_version="1", diff=step.diff, matches_plan=True)

    async def apply(self, step: PlannedStep, marker: str) -> StepRecord:
        self.before_apply()
        if marker_of(self.object) == marker:
            return self._record(step, StepStatus.ALREADY_APPLIED)
        await self.dry_run(step, marker)
        return await self._change(step, marker)

    async def undo(self, step: PlannedStep, marker: str, undone: str) -> StepRecord:
        if marker_of(self.object) != undone:
            return self._record(step, StepStatus.NOTHING_TO_UNDO)
        return await self._change(step, marker)

    async def _change(self, step: PlannedStep, marker: str) -> StepRecord:
        self.object = step.action.project(await self.read(step.action))
        self.object["metadata"].setdefault("annotations", {})[MARKER_ANNOTATION] = marker
        self.changes.append(marker)
        return self._record(step, StepStatus.APPLIED)

    def _record(self, step: PlannedStep, status: StepStatus) -> StepRecord:
        return StepRecord(step_id=step.id, action=step.action.type, status=status, at=datetime.now(UTC))


class CannotBeUndone(ClusterInMemory):
    """Whatever is changed stays."""

    async def undo(self, step: PlannedStep, marker: str, undone: str) -> StepRecord:
        raise ClusterForbiddenError("patch of deployments.apps is forbidden")


class MakesTheChangeAndNeverTells(ClusterInMemory):
    """`made` is set once the change is there; its answer takes longer than anybody waits."""

    def __init__(self) -> None:
        super().__init__()
        self.made = asyncio.Event()

    async def apply(self, step: PlannedStep, marker: str) -> StepRecord:
        record = await super().apply(step, marker)
        self.made.set()
        await asyncio.sleep(20)
        return record


class LosesItsNode(ClusterInMemory):
    """Every workload runs on node-1, and is well when that is there."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = True
        self.lost_at: datetime | None = None
        self.broken_besides = False
        self.looked_at: list[str] = []

    def _seen(self, target: Target) -> Snapshot:
        self.looked_at.append(str(target))
        ready = a_condition("Ready", "Unknown" if self.lost else "True", since=self.lost_at)
        node = a_node(conditions=(ready,))
        if target.kind is Kind.NODE:
            return a_snapshot(target=target, workload=None, pods=(), services=(), nodes=(node,), revisions=())
        if not self.lost and self.broken_besides:
            return super()._seen(target)
        container = a_container(name=target.name, ready=not self.lost)
        pods = [a_pod(f"{target.name}-{suffix}", node="node-1", containers=[container]) for suffix in "ab"]
        workload = a_workload(ref=a_ref(name=target.name))
        return a_snapshot(target=target, workload=workload, pods=tuple(pods), nodes=(node,))


class SeenInTheWrongMoment(ClusterInMemory):
    """As many investigations as `tells_nothing` find the target up again for a moment, before its next crash."""

    def __init__(self, tells_nothing: int) -> None:
        super().__init__()
        self.tells_nothing = tells_nothing
        self.looks = 0

    async def snapshot(self, target: Target) -> Snapshot:
        self.looks += 1
        if self.looks > self.tells_nothing:
            return await super().snapshot(target)
        now = datetime.now(UTC)
        ended = a_termination(started_at=now - timedelta(seconds=2), finished_at=now - timedelta(seconds=1))
        again = a_container(ready=False, restarts=2, last_terminated=ended)
        workload = a_workload(ready_replicas=1, available_replicas=1)
        pods = (a_pod("web-6d4cf-a"), a_pod("web-6d4cf-b", containers=[again], created_at=now - timedelta(seconds=20)))
        return a_snapshot(target=target, taken_at=now, workload=workload, pods=pods)


class MemoryInMemory:
    def __init__(self) -> None:
        self.kept: dict[str, PostMortem] = {}
        self.down = False

    async def remember(self, postmortem: PostMortem) -> None:
        if self.down:
            raise MemoryUnavailableError("Milvus is down")
        self.kept[postmortem.run_id] = postmortem

    async def forget(self, run_id: str) -> None:
        if self.down:
            raise MemoryUnavailableError("Milvus is down")
        self.kept.pop(run_id, None)

    async def recall(self, symptoms: str, category: Category, limit: int = 3) -> tuple[Recollection, ...]:
        return tuple(
            Recollection(
                incident_id=p.incident_id,
                run_id=p.run_id,
                category=p.category,
                summary=p.cause,
                remedy=p.remedy,
                outcome=p.outcome,
                score=0.9,
            )
            for p in self.kept.values()
            if p.category == category
        )[:limit]


class MetricsInMemory:
    """Says of every alert what `firing` says."""

    def __init__(self) -> None:
        self.firing: bool | None = None
        self.carried: Load | None = None

    async def condition(self, alert: Alert) -> AlertCondition:
        return AlertCondition(firing=self.firing, detail=f"asked for {alert.name}")

    async def evidence(self, alert: Alert) -> tuple[Evidence, ...]:
        return ()

    async def load(self, alert: Alert, workload: ObjectRef) -> Load | None:
        return self.carried

    async def fires_at_maximum(self, alert: Alert) -> bool:
        return False


class ArtifactsInMemory:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, content: bytes, media_type: str) -> ArtifactRef:
        ref = ArtifactRef(sha256=hashlib.sha256(content).hexdigest(), size=len(content), media_type=media_type)
        self.kept[ref.sha256] = content
        return ref

    async def get(self, ref: ArtifactRef) -> bytes:
        if ref.sha256 not in self.kept:
            raise ArtifactMissingError(ref.sha256)
        return self.kept[ref.sha256]


class NamespacesInMemory:
    """The namespace of a ClusterInMemory: its Deployment reads ConfigMap web-conf, which holds `config`."""

    def __init__(self, cluster: ClusterInMemory) -> None:
        self._cluster = cluster
        self.config = {"app.yaml": "listen: 8080\n"}
        self.looked_at: list[str] = []
        self.forbidden: set[str] = set()
        self.unavailable = False

    async def workloads(self, cluster: str, namespace: str) -> NamespaceSeen:
        self.looked_at.append(namespace)
        if self.unavailable:
            raise ClusterUnavailableError("no answer")
        if namespace in self.forbidden:
            raise ClusterForbiddenError(f"pods of {namespace} is forbidden")
        seen = await self._cluster.snapshot(a_target(namespace=namespace))
        reads = ConfigReference(ref=a_ref("ConfigMap", "web-conf", namespace))
        return NamespaceSeen(workloads=(seen.model_copy(update={"config": (reads,)}),), api_calls=4)

    async def config_map(self, cluster: str, ref: ObjectRef) -> ConfigMapSeen:
        return ConfigMapSeen(ref=ref, uid="uid-web-conf", data=self.config, written_at=ago(days=20), written_by="kubectl")


class LastGoodInMemory:
    """Keeps records as the files do, by the same rules."""

    def __init__(self, artifacts: ArtifactsInMemory) -> None:
        self._artifacts = artifacts
        self.records: dict[ObjectRef, ConfigRecord] = {}

    async def note(self, sighting: Sighting) -> ConfigRecord:
        self.records[sighting.ref] = record = noted(self.records.get(sighting.ref), sighting)
        return record

    async def newest(self, ref: ObjectRef, uid: str) -> LastGoodContent | None:
        record = self.records.get(ref)
        if record is None or not record.is_about(ref, uid) or not record.versions:
            return None
        content = Content.model_validate_json(await self._artifacts.get(record.versions[0].content))
        return LastGoodContent(looked_at=record.looked_at, version=record.versions[0], content=content)


class ChatInMemory:
    """One message an incident run, as it was last published, and the calls in their order."""

    def __init__(self) -> None:
        self.messages: dict[str, Notice] = {}
        self.notices: list[Notice] = []
        """All that was published, in order."""
        self.calls: list[Call] = []
        self.alarms: dict[str, Alarm] = {}
        self.digests: list[StormDigest] = []
        self.down = False
        self.has_channel = True
        """Without one it is as a terminal: nobody is notified."""

    async def publish(self, notice: Notice) -> MessageRef | None:
        if self.down:
            raise ChatUnavailableError("the chat is down")
        self.notices.append(notice)
        self.messages[notice.state.run_id] = notice
        if notice.call and notice.call.key not in {call.key for call in self.calls}:
            self.calls.append(notice.call)
        return MessageRef(channel="C1", ts=notice.state.run_id) if self.has_channel else None

    async def tell_digest(self, digest: StormDigest, message: MessageRef | None) -> MessageRef | None:
        if self.down:
            raise ChatUnavailableError("the chat is down")
        self.digests.append(digest)
        return MessageRef(channel="C1", ts=digest.key)

    async def raise_alarm(self, alarm: Alarm) -> None:
        if self.down:
            raise ChatUnavailableError("the chat is down")
        self.alarms[alarm.key] = alarm


class PagerInMemory:
    """What it was asked to page and to take back."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self.resolved: list[PageOver] = []

    async def trigger(self, page: Page) -> Paged:
        self.pages.append(page)
        return Paged(by=("memory",))

    async def resolve(self, over: PageOver) -> Paged:
        self.resolved.append(over)
        return Paged(by=("memory",))

    async def check(self) -> str:
        return "It is always there."
