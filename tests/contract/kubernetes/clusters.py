"""The embedded cluster with its shop, and what a test asks of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
from tests.integration.outside.waiting import NotInTimeError

from opsmend.adapters.kubernetes.connection import Connection, connect_cluster
from opsmend.adapters.kubernetes.executors import OwnRights
from opsmend.adapters.kubernetes.reader import KubernetesReader
from opsmend.adapters.kubernetes.writer import KubernetesWriter
from opsmend.domain.actions import AnyAction
from opsmend.domain.actions.planned_step import plan_step, projected
from opsmend.domain.execution import DryRun, StepRecord
from opsmend.domain.plan import Plan, PlannedStep
from opsmend.domain.ports.cluster import ClusterWriter
from opsmend.domain.snapshot import Revision, Snapshot
from opsmend.domain.target import Kind, ObjectRef, Target
from opsmend.errors import ClusterConflictError
from opsmend.policy.redaction import redact
from opsmend.settings import KubernetesSettings
from opsmend_cluster.config import ClusterConfig
from opsmend_cluster.server import running_cluster
from opsmend_cluster.shop import seed_shop, ship_release

WEB = Target(cluster="embedded", kind=Kind.DEPLOYMENT, namespace="shop", name="web")


T = TypeVar("T")


class PatientWriter:
    """Asks again after a conflict, as Temporal does: the controllers write the status of what was just changed."""

    def __init__(self, writer: KubernetesWriter) -> None:
        self._writer = writer

    def require_cluster(self, cluster: str) -> None:
        self._writer.require_cluster(cluster)

    async def dry_run(self, step: PlannedStep, marker: str, revisions: tuple[Revision, ...] = ()) -> DryRun:
        return await _patiently(lambda: self._writer.dry_run(step, marker, revisions))

    async def apply(self, step: PlannedStep, marker: str) -> StepRecord:
        return await _patiently(lambda: self._writer.apply(step, marker))

    async def undo(self, step: PlannedStep, marker: str, undone: str) -> StepRecord:
        return await _patiently(lambda: self._writer.undo(step, marker, undone))


async def _patiently(call: Callable[[], Awaitable[T]]) -> T:
    async def once() -> T | None:
        try:
            return await call()
        except ClusterConflictError:
            return None

    return await eventually(once)


@dataclass(frozen=True)
class Shop:
    """A cluster on which web and checkout run, with our two sides of it."""

    url: str
    http: httpx.AsyncClient
    connection: Connection
    reader: KubernetesReader
    writer: ClusterWriter

    async def get(self, path: str) -> dict[str, Any]:
        answer = await self.http.get(path)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    async def patch(self, path: str, change: dict[str, Any]) -> None:
        """Somebody else edits an object."""
        headers = {"Content-Type": "application/merge-patch+json"}
        (await self.http.patch(path, json=change, headers=headers)).raise_for_status()

    async def post(self, path: str, obj: dict[str, Any]) -> None:
        (await self.http.post(path, json=obj)).raise_for_status()

    async def mutations(self) -> list[dict[str, Any]]:
        """Ours, by the cluster's own audit."""
        entries = (await self.http.get("/opsmend-demo/audit", params={"mutations": "true"})).json()
        return [entry for entry in entries if entry["field_manager"] == "opsmend"]

    async def release(self, **how: Any) -> None:
        await asyncio.to_thread(ship_release, self.url, "web", **how)

    async def plan(self, *actions: AnyAction) -> Plan:
        steps: list[PlannedStep] = []
        lives: dict[ObjectRef, Any] = {}
        for number, action in enumerate(actions, start=1):
            live = lives.get(action.target) or await self.reader.read(action)
            steps.append(plan_step(action, live, reason="e1", step_id=str(number), redact=redact))
            lives[action.target] = projected(action, live)
        return Plan.seal(incident_id="i", run_id="r", attempt=1, summary="fix", steps=tuple(steps))

    async def snapshot_when(self, seen: Callable[[Snapshot], object], target: Target = WEB) -> Snapshot:
        async def look() -> Snapshot | None:
            snapshot = await self.reader.snapshot(target)
            return snapshot if seen(snapshot) else None

        return await eventually(look)


async def eventually(look: Callable[[], Awaitable[T | None]], seconds: float = 30) -> T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = await look()
        if found is not None:
            return found
        await asyncio.sleep(0.05)
    raise NotInTimeError(f"not seen within {seconds} s")


def writer_of(connection: Connection) -> KubernetesWriter:
    """One that changes things with the rights of its own connection."""
    return KubernetesWriter(connection, OwnRights(connection))


@asynccontextmanager
async def a_shop(folder: Path, config: ClusterConfig | None = None) -> AsyncIterator[Shop]:
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(running_cluster(config))
        await asyncio.to_thread(seed_shop, cluster.url)
        # A connection of its own for each request: one that rested for 5 s may be closed while the next request is on its way.
        alone = httpx.Limits(max_keepalive_connections=0)
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=cluster.url, trust_env=False, limits=alone))
        connection = await connect_cluster(KubernetesSettings(), stack, cluster.kubeconfig(folder / "kubeconfig"))
        shop = Shop(cluster.url, http, connection, KubernetesReader(connection), PatientWriter(writer_of(connection)))
        await shop.snapshot_when(lambda s: s.workload and s.workload.ready_replicas == 3 and len(s.revisions) == 1)
        yield shop
