"""Alerts a second and the webhook's p99, beside the same signal-with-start made directly."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Final

from temporalio.client import Client
from temporalio.common import RawValue

from bench.alerts import CLUSTER, onto_open_targets, resends, to_new_targets
from bench.load import IN_FLIGHT, Load, connections, post, put_through
from bench.results import Aim, Row, percentile
from bench.stack import API_TOKEN, Server, api, cpu_seconds, temporal
from opsmend.agents.queues import WORKFLOWS
from opsmend.api.alerts import SOURCES
from opsmend.domain.incident import AlertsReceived
from opsmend.domain.opened import IncidentOpened

OPEN_TARGETS: Final = 50
_SIGNAL_TIMEOUT: Final = timedelta(seconds=10)


@dataclass(frozen=True)
class BareCall:
    """A signal-with-start whose payloads are encoded beforehand: what is left is the client library and the server."""

    id: str
    opened: RawValue
    received: RawValue


@dataclass
class Side:
    """What was seen of one side over all rounds of one kind. `cpu` is CPU milliseconds an alert by process."""

    rates: list[float] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)
    cpu: dict[str, list[float]] = field(default_factory=dict)

    def add(self, load: Load, cpu: dict[str, float]) -> None:
        self.rates.append(load.rate)
        self.calls += load.calls
        for process, seconds in cpu.items():
            self.cpu.setdefault(process, []).append(1000 * seconds / len(load.calls))

    @property
    def rate(self) -> float:
        return median(self.rates)

    def milliseconds(self, percent: int) -> float:
        return 1000 * percentile(self.calls, percent)


@dataclass(frozen=True)
class Sizes:
    """Rounds and alerts a round."""

    rounds: int
    new: int
    open: int


Send = Callable[[Sequence[bytes]], Awaitable[tuple[Load, dict[str, float]]]]
Series = Callable[[str, int], list[bytes]]
"""(side, round) -> webhook bodies."""


async def measure_intake(data_dir: Path, sizes: Sizes) -> tuple[list[Row], list[str]]:
    """The four rows, and a line a kind on where the CPU went."""
    async with AsyncExitStack() as stack:
        server = await temporal(stack, data_dir)
        sends = {"opsmend": await _through_opsmend(stack, server), "bare": _directly(server)}
        await _compare(sends, 2, lambda side, turn: to_new_targets(IN_FLIGHT * 2, f"warm-{side}-{turn}"))
        for send, side in zip(sends.values(), sends, strict=True):
            await send(onto_open_targets(OPEN_TARGETS, f"open-{side}", OPEN_TARGETS, 0))
        new = await _compare(sends, sizes.rounds, lambda side, turn: to_new_targets(sizes.new, f"new-{side}-{turn}"))
        joined = await _compare(
            sends,
            sizes.rounds,
            lambda side, turn: onto_open_targets(sizes.open, f"open-{side}", OPEN_TARGETS, (turn + 1) * sizes.open),
        )
        resent = await _compare(sends, sizes.rounds, lambda side, turn: resends(sizes.open, f"open-{side}", OPEN_TARGETS))
    by_name = {"intake_new": new, "intake_open": joined, "intake_resend": resent}
    rows = [Row(name, "alerts/s", sides["opsmend"].rate, sides["bare"].rate, Aim("≥", 0.8)) for name, sides in by_name.items()]
    ours, bare = new["opsmend"], new["bare"]
    rows.append(Row("webhook_p99", "ms", ours.milliseconds(99), bare.milliseconds(99), Aim("<", 4)))
    return rows, [_where_cpu_went(name, sides) for name, sides in by_name.items()]


async def _compare(sends: dict[str, Send], rounds: int, series: Series) -> dict[str, Side]:
    """A B, B A, A B…: whatever drifts (a growing database, a neighbour on the machine) falls on both sides alike."""
    sides = {name: Side() for name in sends}
    for turn in range(rounds):
        order = list(sends) if turn % 2 == 0 else list(reversed(sends))
        for name in order:
            sides[name].add(*await sends[name](series(name, turn)))
    return sides


async def _through_opsmend(stack: AsyncExitStack, server: Server) -> Send:
    served = await api(stack, server)

    async def send(bodies: Sequence[bytes]) -> tuple[Load, dict[str, float]]:
        requests = [post("/v1/alerts/alertmanager", body, API_TOKEN) for body in bodies]
        before = {"API": cpu_seconds(served.process), "Temporal": cpu_seconds(server.process)}
        async with AsyncExitStack() as open_connections:
            load = await put_through(requests, await connections(served.port, open_connections))
        after = {"API": cpu_seconds(served.process), "Temporal": cpu_seconds(server.process)}
        return load, {name: after[name] - before[name] for name in before}

    return send


def _directly(server: Server) -> Send:
    async def call(bare: BareCall) -> None:
        await server.client.start_workflow(
            "Incident",
            bare.opened,
            id=bare.id,
            task_queue=WORKFLOWS,
            start_signal="alerts_received",
            start_signal_args=[bare.received],
            rpc_timeout=_SIGNAL_TIMEOUT,
        )

    async def send(bodies: Sequence[bytes]) -> tuple[Load, dict[str, float]]:
        calls = [await _bare_call(server.client, body) for body in bodies]
        before = cpu_seconds(server.process)
        load = await put_through(calls, [call] * IN_FLIGHT)
        return load, {"Temporal": cpu_seconds(server.process) - before}

    return send


async def _bare_call(client: Client, body: bytes) -> BareCall:
    """The very id and payloads that opsmend makes of this webhook."""
    alerts = SOURCES["alertmanager"](body, CLUSTER).alerts
    target = alerts[0].target
    opened, received = await client.data_converter.encode([IncidentOpened(target=target), AlertsReceived(alerts=alerts)])
    return BareCall(target.incident_id, RawValue(opened), RawValue(received))


def _where_cpu_went(name: str, sides: dict[str, Side]) -> str:
    ours, bare = sides["opsmend"], sides["bare"]
    api_cpu, temporal_ours, temporal_bare = (
        median(side.cpu[process]) for side, process in ((ours, "API"), (ours, "Temporal"), (bare, "Temporal"))
    )
    return (
        f"{name}: p50 {ours.milliseconds(50):.0f} ms beside {bare.milliseconds(50):.0f}; "
        f"CPU an alert: API {api_cpu:.2f} ms, Temporal {temporal_ours:.2f} beside {temporal_bare:.2f}"
    )
