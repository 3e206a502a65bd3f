"""A cluster in which several targets suffer from one cause, for the tests and the recorded histories of grouping."""

import asyncio
from collections import defaultdict
from collections.abc import Callable

from opsmend.adapters.temporal.shared_causes import TemporalSharedCauses
from opsmend.domain.incident import IncidentState
from opsmend.domain.shared_cause import CauseKind
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.target import Target
from tests.builders import (
    a_config,
    a_crashing_container,
    a_dependency,
    a_failed_rollout,
    a_mounted_config,
    a_pod,
    a_service,
    a_snapshot,
    a_target,
    a_template,
    a_waiting_container,
    a_workload,
    ago,
)
from tests.workflows.conftest import World
from tests.workflows.fakes import BAD, GOOD, ClusterInMemory

TARGETS = [a_target(name=f"web-{number}") for number in range(6)]
ORDERS = a_target(name="orders")
"""The dependency that is down: its own incident has a fix for it."""
UNRELATED = a_target(name="broken-by-itself")


def the_registry_is_away(target: Target) -> Snapshot:
    said = 'failed to pull image "registry.example/web:1": dial tcp 10.0.0.9:443: i/o timeout'
    waiting = a_waiting_container("ErrImagePull", said, image="registry.example/web:1")
    return a_snapshot(target=target, pods=(a_pod(f"{target.name}-a", containers=[waiting]),))


def names_cannot_be_resolved(target: Target) -> Snapshot:
    crashed = a_crashing_container("lookup orders on 10.96.0.10:53: server misbehaving")
    return a_snapshot(target=target, pods=(a_pod(f"{target.name}-a", containers=[crashed]),), dependencies=(a_dependency(),))


def a_dependency_is_down(target: Target) -> Snapshot:
    down = a_service("orders", selector={"app": "orders"}, ready_endpoints=0, not_ready_endpoints=2)
    crashed = a_crashing_container("dial tcp: orders:8080: connect: connection refused")
    called = a_dependency(service=down)
    return a_snapshot(target=target, pods=(a_pod(f"{target.name}-a", containers=[crashed]),), dependencies=(called,))


def a_shared_config_map_was_edited(target: Target) -> Snapshot:
    log = 'yaml.scanner.ScannerError: mapping values are not allowed here\n  in "/etc/app/config.yaml", line 3, column 8'
    template = a_template(**a_mounted_config("settings", "/etc/app"))
    config = a_config("settings", {"config.yaml": "a: b: c"}, changed_at=ago(minutes=2), changed_by="kubectl-edit")
    pod = a_pod(f"{target.name}-a", template=template, containers=[a_crashing_container(log)], created_at=ago(hours=5))
    seen = a_snapshot(target=target, workload=a_workload(template=template), pods=(pod,), config=(config,))
    return seen.model_copy(update={"revisions": (seen.revisions[0].model_copy(update={"created_at": ago(days=3)}),)})


class SharesACause(ClusterInMemory):
    """All of TARGETS suffer from one cause as long as it is there; everybody else has a broken rollout of its own."""

    def __init__(self, suffering: Callable[[Target], Snapshot]) -> None:
        super().__init__()
        self.suffering = suffering
        self.there = True
        self.serves_though_its_rollout_failed = False
        """The dependency has a ready endpoint again, and its own fault still."""
        self.asked: dict[str, list[str]] = defaultdict(list)

    async def snapshot(self, target: Target) -> Snapshot:
        self.asked[target.name].append("everything")
        return self._of(target)

    async def glance(self, target: Target) -> Snapshot | None:
        self.asked[target.name].append("a glance")
        seen = self._of(target)
        return Snapshot(taken_at=seen.taken_at, target=target, pods=seen.pods, events=seen.events)

    def _of(self, target: Target) -> Snapshot:
        if target == ORDERS and self.there:
            seen = a_failed_rollout(GOOD, BAD, target=target)
            return seen.model_copy(
                update={"services": (a_service("orders", ready_endpoints=int(self.serves_though_its_rollout_failed)),)}
            )
        if target.name.startswith("broken"):
            return a_failed_rollout(GOOD, BAD, target=target)
        return self.suffering(target) if self.there else a_snapshot(target=target)


async def until_known(world: World, kind: CauseKind) -> None:
    """Visibility follows a moment later."""
    causes = TemporalSharedCauses(world.client)
    async with asyncio.timeout(20):
        while [known.cause.kind for known in await causes.known("demo")] != [kind]:
            await asyncio.sleep(0.05)


def grouped(state: IncidentState) -> bool:
    return any(entry.event == "cause.grouped" for entry in state.timeline)
