"""Ports in memory for the measured workers: any number of Deployments, each at a crashing revision until it is rolled back.

What they answer is made once, so that next to nothing of the measured CPU is theirs.
"""

from tests.builders import a_failed_rollout, a_snapshot, some_revisions
from tests.workflows.fakes import BAD, GOOD, ClusterInMemory, RoomForAll

from opsmend.domain.actions.action import Action, LiveObject
from opsmend.domain.execution import AppliedChange, DryRun, Reversion, StepRecord
from opsmend.domain.plan import PlannedStep
from opsmend.domain.ports.cluster import Look
from opsmend.domain.snapshot import Revision, Snapshot
from opsmend.domain.target import Target


class ManyDeployments(RoomForAll):
    """Implements ClusterReader and ClusterWriter. Deployments come into being, broken, when they are first looked at."""

    def __init__(self) -> None:
        self._deployments: dict[str, _OneOfMany] = {}
        self._revisions = some_revisions(GOOD, BAD)
        self._well = a_snapshot()
        self._broken = a_failed_rollout(GOOD, BAD)

    async def snapshot(self, target: Target) -> Snapshot:
        seen = self._well if self._named(target.name).well else self._broken
        workload = seen.workload.model_copy(update={"ref": target.ref}) if seen.workload else None
        return seen.model_copy(update={"target": target, "owner_chain": (target.ref,), "workload": workload})

    async def look(self, target: Target, changes: tuple[AppliedChange, ...] = (), *, closely: bool) -> Look:
        return Look(snapshot=await self.snapshot(target))

    async def read(self, action: Action, known: LiveObject | None = None, revisions: tuple[Revision, ...] = ()) -> LiveObject:
        return await self._of(action).read(action, known, revisions)

    async def reverted(self, change: AppliedChange) -> Reversion | None:
        return await self._of(change.action).reverted(change)

    def require_cluster(self, cluster: str) -> None:
        """It stands for every cluster."""

    async def dry_run(self, step: PlannedStep, marker: str, revisions: tuple[Revision, ...] = ()) -> DryRun:
        return await self._of(step.action).dry_run(step, marker, revisions)

    async def apply(self, step: PlannedStep, marker: str) -> StepRecord:
        return await self._of(step.action).apply(step, marker)

    async def undo(self, step: PlannedStep, marker: str, undone: str) -> StepRecord:
        return await self._of(step.action).undo(step, marker, undone)

    def _of(self, action: Action) -> "_OneOfMany":
        return self._named(action.target.name)

    def _named(self, name: str) -> "_OneOfMany":
        if name not in self._deployments:
            self._deployments[name] = _OneOfMany(name, self._revisions)
        return self._deployments[name]


class _OneOfMany(ClusterInMemory):
    """Shares what does not change with all others."""

    def __init__(self, name: str, revisions: tuple[Revision, ...]) -> None:
        super().__init__()
        self._revisions = revisions
        self.object = self.object | {"metadata": self.object["metadata"] | {"name": name}}

    @property
    def well(self) -> bool:
        return bool(self.object["spec"]["template"] != BAD)

    async def read(self, action: Action, known: LiveObject | None = None, revisions: tuple[Revision, ...] = ()) -> LiveObject:
        return LiveObject(object=self.object, revisions=self._revisions)
