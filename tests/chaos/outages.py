"""Outages of what an incident stands on, and its end by hand, each with servers of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from opsmend.adapters.milvus.server import milvus_command
from opsmend.domain.incident import IncidentState, Status
from opsmend.embedded.processes import Part, free_port, listens, start_part
from opsmend.embedded.temporal_server import start_temporal
from tests.chaos.lane import TARGET, open_lane
from tests.chaos.verdict import Verdict, judged, judged_cancelled, judged_two
from tests.slack_standin.standin import SlackStandin

PHASES: Final = tuple(Status)
"""In the order that an incident passes them."""

Outage = tuple[str, str, Callable[[], Awaitable[Verdict]]]


def temporal_killed(root: Path, slack: SlackStandin) -> Iterator[Outage]:
    """SIGKILL to the Temporal server in each status that an incident passes, and a restart on the same SQLite file."""
    for status in PHASES[: PHASES.index(Status.CLOSED)]:
        name = f"Temporal killed while {status}"

        async def run(name: str = name, status: Status = status) -> Verdict:
            async with AsyncExitStack() as stack:
                return await _kill_temporal(stack, root / name.replace(" ", "-"), slack, name, status)

        yield name, "Temporal", run


async def _kill_temporal(stack: AsyncExitStack, folder: Path, slack: SlackStandin, name: str, status: Status) -> Verdict:
    ports = (free_port(), free_port())
    server = await start_temporal(folder / "temporal", port=ports[0], ui_port=ports[1])
    servers = [server]

    async def stop_last() -> None:
        await servers[-1].part.stop()

    stack.push_async_callback(stop_last)
    milvus_port = free_port()
    milvus = await start_part("milvus", milvus_command(folder / "milvus", milvus_port), folder / "logs")
    stack.push_async_callback(milvus.stop)
    lane = await open_lane(
        stack,
        folder,
        temporal=server.address,
        namespace="default",
        slack=slack,
        milvus=f"http://127.0.0.1:{milvus_port}",
    )

    async def kill_when(reached: Callable[[IncidentState], bool]) -> None:
        await lane.until(reached)
        servers[-1].part.kill()
        await servers[-1].part.process.wait()
        servers.append(await start_temporal(folder / "temporal", port=ports[0], ui_port=ports[1]))

    async def run() -> IncidentState:
        await lane.break_the_shop()
        await lane.start_worker()
        await lane.send_alerts()
        if status is Status.EXECUTING:
            # Slows the dry run down: the phase would be over before it was seen.
            await lane.arm(method="PATCH", answer=429, requests=3, retry_after_seconds=1)
        killing = asyncio.create_task(kill_when(lambda state: PHASES.index(state.status) >= PHASES.index(status)))
        try:
            if status is Status.AWAITING_APPROVAL:
                await killing
            await lane.approve()
            await killing
            return await lane.over()
        finally:
            killing.cancel()

    return await judged(lane, run(), name=name, killed="Temporal", kills=0)


def milvus_locked(root: Path, slack: SlackStandin) -> Iterator[Outage]:
    """Another process holds Milvus Lite's files during the whole incident; it is remembered once they are free."""
    name = "Milvus locked by another process"

    async def run() -> Verdict:
        async with AsyncExitStack() as stack:
            return await _lock_milvus(stack, root / name.replace(" ", "-"), slack, name)

    yield name, "Milvus", run


async def _lock_milvus(stack: AsyncExitStack, folder: Path, slack: SlackStandin, name: str) -> Verdict:
    server = await start_temporal(folder / "temporal", port=free_port(), ui_port=free_port())
    stack.push_async_callback(server.part.stop)
    ours, theirs = free_port(), free_port()
    locker = await start_part("locker", milvus_command(folder / "milvus", theirs), folder / "logs")
    stack.push_async_callback(locker.stop)
    await locker.ready(lambda: listens(theirs))
    refused = await start_part("milvus", milvus_command(folder / "milvus", ours), folder / "logs")
    assert await refused.process.wait() != 0, "a second process could open the locked files"
    lane = await open_lane(
        stack,
        folder,
        temporal=server.address,
        namespace="default",
        slack=slack,
        milvus=f"http://127.0.0.1:{ours}",
    )

    async def run() -> IncidentState:
        await lane.break_the_shop()
        await lane.start_worker()
        await lane.send_alerts()
        await lane.approve()
        await lane.until(lambda state: state.status is Status.CLOSED)
        await locker.stop()
        stack.push_async_callback((await _start_milvus(folder, ours)).stop)
        return await lane.over()

    return await judged(lane, run(), name=name, killed="Milvus", kills=0)


def down_across_two_outbreaks(root: Path, slack: SlackStandin) -> Iterator[Outage]:
    """A part is away from before the first outbreak until after the end of the second one."""
    for part in ("Milvus", "Slack"):
        name = f"{part} away across two outbreaks"

        async def run(name: str = name, part: str = part) -> Verdict:
            async with AsyncExitStack() as stack:
                return await _break_twice(stack, root / name.replace(" ", "-"), slack, name, part)

        yield name, part, run


async def _break_twice(stack: AsyncExitStack, folder: Path, slack: SlackStandin, name: str, part: str) -> Verdict:
    server = await start_temporal(folder / "temporal", port=free_port(), ui_port=free_port())
    stack.push_async_callback(server.part.stop)
    port = free_port()
    milvus = f"http://127.0.0.1:{port}"
    lane = await open_lane(stack, folder, temporal=server.address, namespace="default", slack=slack, milvus=milvus)
    if part == "Slack":
        stack.push_async_callback((await _start_milvus(folder, port)).stop)
        await slack.go_down()

    async def run() -> list[IncidentState]:
        await lane.start_worker()
        ends = lane.ended
        for outbreak in (1, 2):
            await lane.break_the_shop(version=1 + outbreak)
            await lane.send_alerts(datetime(2026, 1, outbreak, tzinfo=UTC))
            asked = await lane.until_asked(other_than=ends[-1].run_id if ends else "")
            await lane.approve()
            ends.append(await lane.until(lambda s, asked=asked: s.run_id == asked.run_id and s.status is Status.CLOSED))  # type: ignore[misc]
        if part == "Slack":
            await slack.come_back()
        else:
            stack.push_async_callback((await _start_milvus(folder, port)).stop)
        await lane.over()
        await lane.client.get_workflow_handle(f"{ends[0].id}:aftermath:{ends[0].run_id}").result()
        return ends

    return await judged_two(lane, run(), name=name, killed=part)


def cancelled(root: Path, slack: SlackStandin) -> Iterator[Outage]:
    """Somebody cancels the incident's workflow in each status that it passes."""
    for status in PHASES[: PHASES.index(Status.CLOSED)]:
        name = f"cancelled while {status}"

        async def run(name: str = name, status: Status = status) -> Verdict:
            async with AsyncExitStack() as stack:
                return await _cancel_while(stack, root / name.replace(" ", "-"), slack, name, status)

        yield name, "the incident", run


async def _cancel_while(stack: AsyncExitStack, folder: Path, slack: SlackStandin, name: str, status: Status) -> Verdict:
    server = await start_temporal(folder / "temporal", port=free_port(), ui_port=free_port())
    stack.push_async_callback(server.part.stop)
    port = free_port()
    stack.push_async_callback((await _start_milvus(folder, port)).stop)
    lane = await open_lane(
        stack, folder, temporal=server.address, namespace="default", slack=slack, milvus=f"http://127.0.0.1:{port}"
    )
    await lane.break_the_shop()
    broken = await lane.template()

    async def run() -> IncidentState:
        await lane.start_worker()
        await lane.send_alerts()
        if status in (Status.EXECUTING, Status.VERIFYING):
            await lane.until_asked()
            # Slows the phase down: it would be over before it was seen.
            await lane.arm(
                method="PATCH" if status is Status.EXECUTING else "GET", answer=429, requests=5, retry_after_seconds=1
            )
            await lane.approve()
        await lane.until(lambda state: PHASES.index(state.status) >= PHASES.index(status))
        await lane.client.get_workflow_handle(TARGET.incident_id).cancel()
        return await lane.cancelled()

    return await judged_cancelled(lane, run(), broken, name=name)


async def _start_milvus(folder: Path, port: int) -> Part:
    part = await start_part("milvus", milvus_command(folder / "milvus", port), folder / "logs")
    await part.ready(lambda: listens(port))
    return part
