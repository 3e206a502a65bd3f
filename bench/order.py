"""Grave alerts that come while thousands of others wait: how soon have they a plan, and what is the backlog in memory?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Final

import psutil

from bench.lives import bench_desk, open_incident
from bench.questions import Questions, open_questions
from bench.results import Row, percentile
from bench.stack import questions_path, temporal, worker
from bench.waiting import megabytes
from bench.worker_process import POLLED
from opsmend.adapters.temporal.desk import TemporalDesk

_AT_ONCE: Final = 32
_PACE: Final = 0.5
"""Seconds between two critical alerts: about half of what two cores can work on."""


@dataclass
class _Asked:
    """When each incident asked, as the questions come."""

    questions: Questions
    at: dict[str, float] = field(default_factory=dict)
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def keep_reading(self) -> None:
        while True:
            question = await self.questions.next()
            async with self.came:
                self.at.setdefault(question.incident_id, perf_counter())
                self.came.notify_all()

    async def when(self, incident: str) -> float:
        async with self.came:
            await self.came.wait_for(lambda: incident in self.at)
        return self.at[incident]


async def measure_order(data_dir: Path, backlog: int, critical: int) -> tuple[list[Row], list[str]]:
    """`critical` alerts one after the other: first with nothing else to do, then while `backlog` warnings wait."""
    async with AsyncExitStack() as stack:
        server = await temporal(stack, data_dir)
        asked = _Asked(await open_questions(stack, questions_path(server)))
        processes = {
            "workflows": await worker(stack, server, "workflows", POLLED["workflows"]),
            "agents": await worker(stack, server, "agents", POLLED["agents"]),
            "temporal": server.process,
        }
        await stack.enter_async_context(_reading(asked))
        desk = bench_desk(server.client)
        idle = await _to_plan(desk, asked, range(critical))
        before = _memory(processes)
        await _fill(desk, range(critical, critical + backlog))
        busy = await _to_plan(desk, asked, range(critical + backlog, 2 * critical + backlog))
        done = len(asked.at) - 2 * critical
        after = _memory(processes)
    rows = [
        Row("critical_to_plan_p95_idle", "s", percentile(idle, 95)),
        Row("critical_to_plan_p95_backlog", "s", percentile(busy, 95)),
        *(Row(f"rss_{name}_before_backlog", "MB", before[name]) for name in processes),
        *(Row(f"rss_{name}_with_backlog", "MB", after[name]) for name in processes),
    ]
    return rows, [f"order: {done} of {backlog} warnings had a plan when the last of {critical} critical alerts had one"]


@asynccontextmanager
async def _reading(asked: _Asked) -> AsyncIterator[None]:
    reading = asyncio.create_task(asked.keep_reading())
    try:
        yield
    finally:
        reading.cancel()


async def _to_plan(desk: TemporalDesk, asked: _Asked, numbers: range) -> list[float]:
    """Seconds from each alert to its question."""

    async def one(number: int) -> float:
        await asyncio.sleep(_PACE * (number - numbers.start))
        sent = perf_counter()
        return await asked.when(await open_incident(desk, number)) - sent

    return list(await asyncio.gather(*map(one, numbers)))


async def _fill(desk: TemporalDesk, numbers: range) -> None:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> None:
        async with gate:
            await open_incident(desk, number, "warning")

    await asyncio.gather(*map(one, numbers))


def _memory(processes: dict[str, psutil.Process]) -> dict[str, float]:
    return {name: megabytes(process) for name, process in processes.items()}
