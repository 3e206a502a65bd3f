"""Whether a role has workers, as Temporal itself tells it."""

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
from opsmend.errors import TemporalUnavailableError


@activity.defn
async def look() -> None:
    """Nothing."""


async def test_every_role_is_looked_at_and_a_worker_is_seen(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = TemporalWorkers(client, timedelta(seconds=5))
    assert await seen.at_work() == dict.fromkeys(ROLES, False)
    async with Worker(client, task_queue=queues.SRE, activities=[look]):
        async with asyncio.timeout(20):
            while not (found := await seen.at_work())["sre"]:
                await asyncio.sleep(0.05)
    assert found == dict.fromkeys(ROLES, False) | {"sre": True}
    monkeypatch.setattr(workers, "LATELY", timedelta(0))  # its last question was before now
    assert not (await seen.at_work())["sre"]


async def test_a_temporal_that_is_away_is_no_lack_of_workers() -> None:
    away = await connect("127.0.0.1:9", "default", lazy=True)
    with pytest.raises(TemporalUnavailableError):
        await TemporalWorkers(away, timedelta(milliseconds=300)).at_work()
