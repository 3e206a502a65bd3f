"""A storm through the API onto running workflow workers: is every alert in exactly one incident of its target?"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Final

import httpx

from bench.alerts import Storm
from bench.results import Aim, Row
from bench.stack import API_TOKEN, Api, Server, api, temporal, worker
from bench.worker_process import POLLED
from opsmend.adapters.temporal.desk import TemporalDesk
from opsmend.domain.budget import Budget
from opsmend.domain.incident import IncidentState, Patience

_WEBHOOKS_AT_ONCE: Final = 16
_QUERIES_AT_ONCE: Final = 8
_MOST_TRIES: Final = 20
_UNCHANGED: Final = 4
"""Equal answers in a row, half a second apart, after which visibility has caught up."""


@dataclass(frozen=True)
class Account:
    """`alerts_lost`: sent, but in no incident of their target, or not counted by any (the larger number)."""

    incidents: int
    alerts_lost: int
    alerts_received: int


async def measure_storm(data_dir: Path, storm: Storm) -> tuple[list[Row], list[str]]:
    async with AsyncExitStack() as stack:
        server = await temporal(stack, data_dir)
        served = await api(stack, server)
        await worker(stack, server, "workflows", POLLED["workflows"])
        began = perf_counter()
        await _send(served, storm.webhooks())
        sent = perf_counter() - began
        account = account_for(storm.expected(), await _states(server))
    rows = [
        Row("storm_incidents", "incidents", account.incidents, aim=Aim("=", storm.targets)),
        Row("storm_alerts_lost", "alerts", account.alerts_lost, aim=Aim("=", 0)),
    ]
    told = f"storm: {storm.alerts} alerts taken in {sent:.1f} s; {account.alerts_received} counted by their incidents"
    return rows, [told]


def account_for(expected: Mapping[str, set[str]], states: Iterable[IncidentState]) -> Account:
    """Hold what the incidents say against what was sent. `expected` is incident id → fingerprints."""
    found: dict[str, set[str]] = {}
    runs = received = 0
    for state in states:
        runs += 1
        received += state.alerts_received
        found.setdefault(state.id, set()).update(alert.fingerprint for alert in state.alerts)
    missing = sum(len(fingerprints - found.get(incident, set())) for incident, fingerprints in expected.items())
    uncounted = sum(len(fingerprints) for fingerprints in expected.values()) - received
    return Account(incidents=runs, alerts_lost=max(missing, uncounted), alerts_received=received)


async def _send(served: Api, webhooks: Iterable[bytes]) -> None:
    """As Alertmanager does: side by side, and again while the answer is 5xx or none."""
    gate = asyncio.Semaphore(_WEBHOOKS_AT_ONCE)
    url = f"http://127.0.0.1:{served.port}/v1/alerts/alertmanager"
    headers = {"Authorization": f"Bearer {API_TOKEN}", "Content-Type": "application/json"}
    async with httpx.AsyncClient(headers=headers, timeout=60, trust_env=False) as http, asyncio.TaskGroup() as group:
        for body in webhooks:
            group.create_task(_send_one(http, gate, url, body))


async def _send_one(http: httpx.AsyncClient, gate: asyncio.Semaphore, url: str, body: bytes) -> None:
    async with gate:
        for _ in range(_MOST_TRIES):
            answer = await http.post(url, content=body)
            if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                break
            await asyncio.sleep(0.5)
        answer.raise_for_status()


async def _states(server: Server) -> list[IncidentState]:
    """What every incident run says of itself."""
    desk = TemporalDesk(
        server.client, ui_url="http://127.0.0.1", patience=Patience(), budget=Budget(), rpc_timeout=timedelta(seconds=20)
    )
    gate = asyncio.Semaphore(_QUERIES_AT_ONCE)

    async def ask(incident: str, run: str) -> IncidentState:
        async with gate:
            return await desk.get(incident, run)

    listed = await _listed(server)
    return list(await asyncio.gather(*(ask(incident, run) for incident, run in listed)))


async def _listed(server: Server) -> list[tuple[str, str]]:
    """Ids of all runs of incidents. Visibility lags behind, so it is asked until no more come."""
    seen: list[tuple[str, str]] = []
    unchanged = 0
    while unchanged < _UNCHANGED:
        await asyncio.sleep(0.5)
        before, seen = seen, [(w.id, w.run_id) async for w in server.client.list_workflows('WorkflowType = "Incident"')]
        unchanged = unchanged + 1 if seen and len(seen) == len(before) else 0
    return seen
