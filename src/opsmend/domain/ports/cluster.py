"""A Kubernetes cluster, read side and write side. Different credentials stand behind the two."""

from typing import Protocol

from opsmend.domain.actions.action import Action, LiveObject
from opsmend.domain.execution import AppliedChange, DryRun, Reversion, StepRecord
from opsmend.domain.neighbour import Neighbour
from opsmend.domain.plan import PlannedStep
from opsmend.domain.record import Record
from opsmend.domain.snapshot import Node, Revision, Snapshot, Workload
from opsmend.domain.target import Target


class Look(Record):
    """What was seen of a target while a fix is verified, and which changes of that fix somebody took back."""

    snapshot: Snapshot
    reverted: tuple[Reversion, ...] = ()


class ClusterReader(Protocol):
    """Reads only. Every method may raise ClusterUnavailableError, ClusterForbiddenError."""

    async def snapshot(self, target: Target) -> Snapshot:
        """The neighbourhood of `target`, its owner chain resolved first.

        A part that cannot be read is listed in `unseen`; only a failing read of the target itself raises.

        Raises:
            OtherClusterError: the target is in a cluster that this reader is not connected to.
        """
        ...

    async def glance(self, target: Target) -> Snapshot | None:
        """Its pods, and one log or the events of one of them: two calls at most, for whoever has a cause in mind already.

        None where that cannot be had: of a target whose pods do not name it as their owner, and among too many other pods.
        """
        ...

    async def look(self, target: Target, changes: tuple[AppliedChange, ...] = (), *, closely: bool) -> Look:
        """What judging health needs, that is no logs, events, configuration, quotas or nodes of pods.

        Unless `closely`, a workload whose own status says that all is well is not looked into further (`Snapshot.glanced`), and
        of one that says that it is not, only the pods are.
        Fails as `snapshot` does, and if an object of `changes` cannot be read.
        """
        ...

    async def nodes(self) -> tuple[Node, ...]:
        """The nodes of the cluster, at most 100 of them, without what their pods ask for. One call."""
        ...

    async def occupied(self, node: Node) -> Node:
        """`node` with what its pods ask for in all. One call."""
        ...

    async def neighbours(self, namespace: str) -> tuple[Neighbour, ...]:
        """The workloads of `namespace` whose replicas are a number that somebody sets. Four calls."""
        ...

    async def cpu(self, workload: Workload) -> dict[str, float]:
        """Cores that the pods of `workload` use, by pod, from the metrics API. One call.

        Raises:
            TargetGoneError: the cluster has no metrics API.
        """
        ...

    async def read(self, action: Action, known: LiveObject | None = None, revisions: tuple[Revision, ...] = ()) -> LiveObject:
        """The object of `action` as it stands now, with the revisions that it may need.

        `known` is what was read of the same object before in this piece of work: only what it lacks is read. `revisions` are
        those of an earlier snapshot: they do if they are whole and hold the present template.

        Raises:
            TargetGoneError: it does not exist.
        """
        ...

    async def reverted(self, change: AppliedChange) -> Reversion | None:
        """None while the change stands."""
        ...


class ClusterWriter(Protocol):
    """Changes things, one step at a time. Every method may raise ClusterUnavailableError, ClusterForbiddenError.

    `marker` is `<plan hash>#<step id>`, written as the annotation `opsmend.io/last-change` in the same call as the change.
    """

    def require_cluster(self, cluster: str) -> None:
        """Ask before a change, for a step does not name its cluster.

        Raises:
            OtherClusterError: this writer is connected to another one.
        """
        ...

    async def dry_run(self, step: PlannedStep, marker: str, revisions: tuple[Revision, ...] = ()) -> DryRun:
        """Send the change with dryRun=All and tell what the server would store. `revisions` as in ClusterReader.read.

        Raises:
            PlanStaleError: the precondition does not hold any more (and the marker is not there).
            TargetGoneError, ClusterRejectedError, ClusterConflictError.
        """
        ...

    async def apply(self, step: PlannedStep, marker: str) -> StepRecord:
        """Make the change, once: a repeat finds the marker and returns ALREADY_APPLIED without a mutating call.

        Raises:
            PlanStaleError, TargetGoneError, ClusterRejectedError, ClusterConflictError.
        """
        ...

    async def undo(self, step: PlannedStep, marker: str, undone: str) -> StepRecord:
        """Apply the compensation `step` if the object still carries the marker `undone` of the step that it takes back.

        NOTHING_TO_UNDO when that marker is not there; ALREADY_APPLIED when `marker` is.

        Raises:
            PlanStaleError: somebody else changed a field of the step since; it was left as it is and a person has to look.
            ClusterRejectedError, ClusterConflictError.
        """
        ...
