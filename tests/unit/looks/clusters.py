"""A cluster that closer looks are taken at: what it holds is given, what was asked of it is kept."""

from typing import Any

from tests.builders import NOW, a_node

from opsmend.domain.actions.action import Action, LiveObject
from opsmend.domain.execution import AppliedChange, Reversion
from opsmend.domain.neighbour import Neighbour
from opsmend.domain.ports.cluster import Look
from opsmend.domain.snapshot import Node, Revision, Snapshot, Workload
from opsmend.domain.target import Target
from opsmend.errors import TargetGoneError


class GivenCluster:
    def __init__(self, *around: Snapshot, **changes: Any) -> None:
        self.around = {snapshot.target.ref: snapshot for snapshot in around}
        self.all_nodes: tuple[Node, ...] = changes.pop("nodes", ())
        self.others: tuple[Neighbour, ...] = changes.pop("neighbours", ())
        self.cores: dict[str, float] | None = changes.pop("cores", None)
        self.failing: Exception | None = changes.pop("failing", None)
        self.asked: list[str] = []
        assert not changes

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.failing:
            raise self.failing

    async def snapshot(self, target: Target) -> Snapshot:
        self._ask(str(target))
        return self.around.get(target.ref) or Snapshot(taken_at=NOW, target=target, exists=False, api_calls=1)

    async def glance(self, target: Target) -> Snapshot | None:
        raise AssertionError("a look is no glance")

    async def nodes(self) -> tuple[Node, ...]:
        self._ask("nodes")
        return self.all_nodes

    async def occupied(self, node: Node) -> Node:
        """Full, but for nodes that are called roomy."""
        self._ask(f"pods on {node.name}")
        used = {"cpu": "1", "pods": "5"} if node.name.startswith("roomy") else {"cpu": "4", "pods": "5"}
        return node.model_copy(update={"requested": used})

    async def neighbours(self, namespace: str) -> tuple[Neighbour, ...]:
        self._ask(f"neighbours in {namespace}")
        return self.others

    async def cpu(self, workload: Workload) -> dict[str, float]:
        self._ask(f"cpu of {workload.ref}")
        if self.cores is None:
            raise TargetGoneError("the server could not find the requested resource")
        return self.cores

    async def look(self, target: Target, changes: tuple[AppliedChange, ...] = (), *, closely: bool) -> Look:
        return Look(snapshot=await self.snapshot(target))

    async def read(self, action: Action, known: LiveObject | None = None, revisions: tuple[Revision, ...] = ()) -> LiveObject:
        raise AssertionError("a look reads no single objects")

    async def reverted(self, change: AppliedChange) -> Reversion | None:
        raise AssertionError("nothing was changed")


def some_nodes(*names: str) -> tuple[Node, ...]:
    return tuple(a_node(name) for name in names)
