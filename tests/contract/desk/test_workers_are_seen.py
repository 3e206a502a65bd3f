"""Whether a role has workers, and how much waits for it, as Temporal itself tells it."""

import asyncio
from datetime import timedelta

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from opsmend.adapters.temporal import workers
from opsmend.adapters.temporal.connection import connect
from opsmend.adapters.temporal.workers import TemporalWorkers
from opsmend.agents import queues
from opsmend.agents.queues import ROLES
from opsmend.domain.ports.workers import WorkQueue
from opsmend.errors import TemporalUnavailableError


@activity.defn
async def look() -> None:
    """Nothing."""


async def test_every_role_is_looked_at_and_a_worker_is_seen(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = TemporalWorkers(client, timedelta(seconds=5))
    idle = WorkQueue(at_work=False)
    assert await seen.work_queues() == dict.fromkeys(ROLES, idle)
    async with Worker(client, task_queue=queues.SRE, activities=[look]):
        async with asyncio.timeout(20):
            while not (found := await seen.work_queues())["sre"].at_work:
                await asyncio.sleep(0.05)
    assert found == dict.fromkeys(ROLES, idle) | {"sre": WorkQueue(at_work=True)}
    monkeypatch.setattr(workers, "LATELY", timedelta(0))  # its last question was before now
    assert not (await seen.work_queues())["sre"].at_work


async def test_what_no_worker_has_taken_is_counted_with_its_age(client: Client) -> None:
    seen = TemporalWorkers(client, timedelta(seconds=5))
    for n in range(7):
        await client.start_workflow("Waits", id=f"waits-{n}", task_queue=queues.WORKFLOWS)
    async with asyncio.timeout(20):
        while (waits := (await seen.work_queues())["workflows"]).waiting != 7 or waits.oldest < timedelta(seconds=1):
            await asyncio.sleep(0.1)
    assert not waits.at_work
    assert waits.oldest < timedelta(minutes=1)


async def test_a_temporal_that_is_away_is_no_lack_of_workers() -> None:
    away = await connect("127.0.0.1:9", "default", lazy=True)
    with pytest.raises(TemporalUnavailableError):
        await TemporalWorkers(away, timedelta(milliseconds=300)).work_queues()
