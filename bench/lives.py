"""The cost of one incident's whole life: history, worker CPU, wall; beside a plain workflow of as many activities."""

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Final

import psutil
from temporalio.client import Client

from bench.alerts import CLUSTER, single
from bench.histories import Footprint, footprint
from bench.plain import PLAIN, PLAIN_ON_OURS, Plain, PlainLife
from bench.questions import Question, Questions, open_questions
from bench.results import Aim, Row
from bench.stack import cpu_seconds, questions_path, temporal, worker
from bench.worker_process import POLLED
from opsmend.adapters.temporal.desk import TemporalDesk
from opsmend.api.alerts import SOURCES
from opsmend.domain.approval import Answer, DecisionRequest, Person
from opsmend.domain.budget import Budget
from opsmend.domain.incident import IncidentClosed, Outcome, Patience
from opsmend.domain.record import JsonObject

HURRIED: Final = Patience(intake_window=timedelta(milliseconds=1), verify_interval=timedelta(milliseconds=1), verify_checks=1)
"""Nothing is waited for, and one look verifies: what is left is what opsmend itself needs."""

_MIA: Final = Person(via="http", id="mia", name="Mia", groups=("operators",))

Life = Callable[[int], Awaitable[None]]
"""Lives one life, given its number."""


class UnexpectedOutcomeError(RuntimeError):
    """An incident of the bench did not end as remediated, so its cost would be that of another story."""


@dataclass
class Cost:
    """Of one life of a side, on average: worker CPU and wall, in milliseconds."""

    cpu: float = 0
    wall: float = 0


def bench_desk(client: Client, patience: Patience = HURRIED) -> TemporalDesk:
    return TemporalDesk(
        client, ui_url="http://127.0.0.1", patience=patience, budget=Budget(), rpc_timeout=timedelta(seconds=20)
    )


async def open_incident(desk: TemporalDesk, number: int, severity: str = "critical") -> str:
    """One alert of a Deployment that no other number has; the id of its incident."""
    alerts = SOURCES["alertmanager"](single("shop", f"app-{number}", f"{number:016x}", severity), CLUSTER).alerts
    await desk.submit(alerts[0].target, alerts)
    return alerts[0].target.incident_id


async def approve(desk: TemporalDesk, question: Question) -> None:
    await desk.decide(question.incident_id, DecisionRequest(plan_hash=question.plan_hash, decision=Answer.APPROVE, by=_MIA))


async def measure_lives(data_dir: Path, lives: int) -> tuple[list[Row], list[str]]:
    """`lives` of each side, one at a time, sides taking turns."""
    async with AsyncExitStack() as stack:
        server = await temporal(stack, data_dir)
        questions = await open_questions(stack, questions_path(server))
        ours = await worker(stack, server, "all", POLLED["all"])
        bare = await worker(stack, server, "plain", POLLED["plain"])
        bare_on_ours = await worker(stack, server, "plain-on-ours", POLLED["plain-on-ours"])
        desk = bench_desk(server.client)

        async def incident(number: int) -> None:
            await _live_incident(server.client, desk, questions, number)

        for number in range(3):
            await incident(number)
        sample = f"incident:{CLUSTER}:shop:deployment:app-2"
        whole = await footprint(server.client, sample)
        alone = await footprint(server.client, sample, children=False)
        like = plain_life(whole)

        def plain_on(queue: str) -> Life:
            return lambda number: _live_plain(server.client, like, queue, number)

        sides = {
            "opsmend": (ours, incident),
            "bare": (bare, plain_on(PLAIN)),
            "bare on our connection": (bare_on_ours, plain_on(PLAIN_ON_OURS)),
        }
        for number in range(3):
            await plain_on(PLAIN)(number)
            await plain_on(PLAIN_ON_OURS)(number)
        plain_print = await footprint(server.client, f"{PLAIN}-2")
        costs = await _take_turns(sides, lives)
    return _rows(costs, whole, plain_print), [_told(whole, alone, plain_print), _told_of_the_connection(costs)]


def plain_life(incident: Footprint) -> PlainLife:
    """As many activities as the incident and its children have, a payload of their mean size."""
    size = incident.payload_bytes // (2 * incident.activities)
    return PlainLife(
        before=incident.activities // 2, after=incident.activities - incident.activities // 2, payload=payload_of(size)
    )


def payload_of(size: int) -> JsonObject:
    """A JSON object of about `size` bytes, as finely divided as ours are: some 60 bytes an entry."""
    entry = {"at": "2026-03-14T15:00:00Z", "event": "pod.crashed"}
    return {"entries": [entry] * max(1, size // (len(json.dumps(entry, separators=(",", ":"))) + 1))}


async def _take_turns(sides: Mapping[str, tuple[psutil.Process, Life]], lives: int) -> dict[str, Cost]:
    """A process's CPU is told in steps of 10 ms. It rests while the other sides live, so what one life lost the next finds."""
    costs = {name: Cost() for name in sides}
    for number in range(100, 100 + lives):
        for name in sides:
            process, live = sides[name]
            cpu, began = cpu_seconds(process), perf_counter()
            await live(number)
            costs[name].wall += 1000 * (perf_counter() - began) / lives
            costs[name].cpu += 1000 * (cpu_seconds(process) - cpu) / lives
    return costs


async def _live_incident(client: Client, desk: TemporalDesk, questions: Questions, number: int) -> None:
    incident = await open_incident(desk, number)
    await approve(desk, await questions.next())
    closed = await client.get_workflow_handle(incident, result_type=IncidentClosed).result()
    if closed.outcome is not Outcome.REMEDIATED:
        raise UnexpectedOutcomeError(f"{incident} ended {closed.outcome}: {closed.summary}")


async def _live_plain(client: Client, life: PlainLife, queue: str, number: int) -> None:
    handle = await client.start_workflow(Plain.run, life, id=f"{queue}-{number}", task_queue=queue)
    await handle.signal(Plain.go_on)
    await handle.result()


def _rows(costs: dict[str, Cost], incident: Footprint, plain: Footprint) -> list[Row]:
    ours, bare = costs["opsmend"], costs["bare"]
    return [
        Row("incident_cpu", "ms", ours.cpu, bare.cpu, Aim("≤", 2)),
        Row("incident_wall", "ms", ours.wall, bare.wall),
        Row("history_events", "events", incident.events, plain.events),
        Row("history_bytes", "bytes", incident.bytes, plain.bytes),
    ]


def _told(whole: Footprint, alone: Footprint, plain: Footprint) -> str:
    return (
        f"one incident: {whole.activities} activities, {whole.workflow_tasks} workflow tasks, {whole.events} events and "
        f"{whole.bytes} bytes in {whole.runs} runs (the incident alone {alone.activities}, {alone.workflow_tasks}, "
        f"{alone.events}, {alone.bytes}); plain: {plain.activities} activities, {plain.workflow_tasks} workflow tasks"
    )


def _told_of_the_connection(costs: dict[str, Cost]) -> str:
    ours, plain = costs["opsmend"].cpu, costs["bare on our connection"].cpu
    return f"a plain worker on opsmend's own connection takes {plain:.0f} ms of CPU; an incident {ours / plain:.2f} times that"
