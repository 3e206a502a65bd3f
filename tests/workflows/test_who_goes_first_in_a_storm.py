"""With more incidents than workers: grave ones first, and those that were begun before those that were not."""

import asyncio
from datetime import UTC, datetime

from opsmend.domain.alert import Severity
from opsmend.domain.incident import IncidentState
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.target import Target
from tests.builders import a_target, an_alert
from tests.workflows.conftest import MakeWorld, World
from tests.workflows.fakes import ClusterInMemory

WARNINGS = [a_target(name=f"app-{number}") for number in range(30)]
GRAVE = a_target(name="checkout")


class Crowded(ClusterInMemory):
    """Looks at one target after the other; keeps when. `open` lets the first look end."""

    def __init__(self) -> None:
        super().__init__()
        self.looked_at: dict[str, datetime] = {}
        self.open = asyncio.Event()

    async def snapshot(self, target: Target) -> Snapshot:
        self.looked_at.setdefault(target.name, datetime.now(UTC))
        await self.open.wait()
        return await super().snapshot(target)


async def post(world: World, target: Target, severity: Severity) -> None:
    await world.desk.submit(target, (an_alert(target=target, severity=severity),))


async def diagnosed(world: World, target: Target) -> IncidentState:
    return await world.until_there(lambda s: s.diagnosis is not None, within=60, incident=target.incident_id)


def when(state: IncidentState, event: str) -> datetime:
    return next(entry.at for entry in state.timeline if entry.event == event)


async def crowded(make_world: MakeWorld) -> tuple[World, Crowded]:
    """One worker that looks at one target at a time, is busy with the first warning, and has all others in its queue."""
    cluster = Crowded()
    world = await make_world(cluster=cluster, looks_at_once=1)
    for target in WARNINGS:
        await post(world, target, Severity.WARNING)
    async with asyncio.timeout(30):
        while len(cluster.looked_at) < 1:
            await asyncio.sleep(0.02)
    return world, cluster


async def test_a_critical_incident_is_looked_into_before_all_warnings_that_wait(make_world: MakeWorld) -> None:
    world, cluster = await crowded(make_world)
    await post(world, GRAVE, Severity.CRITICAL)
    await world.until_scheduled(GRAVE, "sre.observe")
    cluster.open.set()
    await diagnosed(world, GRAVE)
    # Temporal keeps a queue in several parts and orders each of them: a few may come before it.
    assert list(cluster.looked_at).index(GRAVE.name) <= len(WARNINGS) / 3


async def test_what_was_begun_is_finished_before_all_others_are_begun(make_world: MakeWorld) -> None:
    """Breadth first, the last one would be looked at before any other has its diagnosis."""
    world, cluster = await crowded(make_world)
    await world.until_scheduled(WARNINGS[-1], "sre.observe")
    cluster.open.set()
    diagnosed_at = [when(await diagnosed(world, target), "diagnosis.made") for target in WARNINGS]
    last_begun = max(cluster.looked_at.values())
    assert sum(at < last_begun for at in diagnosed_at) >= len(WARNINGS) / 2
