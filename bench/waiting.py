"""Memory of a workflow worker while a thousand incidents wait for approval."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import psutil
from temporalio.client import Client

from bench.lives import bench_desk, open_incident
from bench.plain import PLAIN, Plain, PlainLife
from bench.questions import Questions, open_questions
from bench.results import Row
from bench.stack import questions_path, temporal, worker
from bench.worker_process import POLLED
from opsmend.adapters.temporal.desk import TemporalDesk

_AT_ONCE: Final = 32
"""Incidents on their way to the question at the same time."""


async def measure_waiting(data_dir: Path, incidents: int) -> tuple[list[Row], list[str]]:
    """Ours: the process of the `workflows` role; agents run in another. Bare: plain workflows that wait for a signal from
    their first moment on."""
    async with AsyncExitStack() as stack:
        server = await temporal(stack, data_dir)
        questions = await open_questions(stack, questions_path(server))
        ours = await worker(stack, server, "workflows", POLLED["workflows"])
        await worker(stack, server, "agents", POLLED["agents"])
        bare = await worker(stack, server, "plain", POLLED["plain"])
        empty = megabytes(ours), megabytes(bare)
        await _ask(bench_desk(server.client), questions, incidents)
        await _wait_plainly(server.client, incidents)
        full = megabytes(ours), megabytes(bare)
    told = f"waiting: {incidents} incidents; without any, the worker has {empty[0]:.0f} MB, the plain one {empty[1]:.0f} MB"
    return [Row("waiting_worker_rss_mb", "MB", full[0], full[1])], [told]


def megabytes(process: psutil.Process) -> float:
    """Resident memory, in 10^6 bytes."""
    return float(process.memory_info().rss) / 1e6


async def _ask(desk: TemporalDesk, questions: Questions, incidents: int) -> None:
    """Open incidents, some at a time, until all of them ask for approval."""
    for number in range(incidents):
        await open_incident(desk, number)
        if number >= _AT_ONCE:
            await questions.next()
    for _ in range(min(_AT_ONCE, incidents)):
        await questions.next()


async def _wait_plainly(client: Client, count: int) -> None:
    gate = asyncio.Semaphore(_AT_ONCE)
    life = PlainLife(before=0, after=0, payload={})

    async def one(number: int) -> None:
        async with gate:
            handle = await client.start_workflow(Plain.run, life, id=f"plain-{number}", task_queue=PLAIN)
            await handle.execute_update(Plain.wait_for_question)

    await asyncio.gather(*(one(number) for number in range(count)))
