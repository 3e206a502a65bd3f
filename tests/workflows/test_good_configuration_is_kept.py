"""What runs well in watched namespaces is noted every few minutes, and right after a fix that helped."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client, ScheduleActionStartWorkflow, ScheduleDescription, WorkflowExecutionStatus
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from opsmend.adapters.temporal.payloads import DATA_CONVERTER
from opsmend.adapters.temporal.schedule import SCHEDULE_ID, schedule_last_good
from opsmend.domain.incident import Outcome
from opsmend.embedded.temporal_server import temporal_binary
from opsmend.errors import TemporalUnavailableError
from opsmend.workflows.keep_last_good import KeepLastGood, KeepLastGoodRequest, LookedAround
from tests.builders import a_ref
from tests.replay.stories import remediated, undone
from tests.workflows.conftest import GIVES_UP_SOON, INCIDENT, MakeWorld, World

SOON = timedelta(seconds=5)
CONF = a_ref("ConfigMap", "web-conf")


def watching(*namespaces: str) -> KeepLastGoodRequest:
    return KeepLastGoodRequest(cluster="demo", namespaces=namespaces)


async def look(world: World, *namespaces: str) -> LookedAround:
    return await world.client.execute_workflow(
        KeepLastGood.run, watching(*namespaces), id="look", task_queue="opsmend-workflows"
    )


async def eventually(condition: Callable[[], Awaitable[Any]], within: float = 30) -> Any:
    async with asyncio.timeout(within):
        while True:
            if found := await condition():
                return found
            await asyncio.sleep(0.05)


async def runs(client: Client) -> list[str]:
    return [run.id async for run in client.list_workflows('WorkflowType = "KeepLastGood"')]


# --- one look --------------------------------------------------------------------------------------------------------------


async def test_a_look_notes_what_healthy_workloads_run_with(make_world: MakeWorld) -> None:
    world = await make_world(watched=["shop"])
    world.cluster.bad = "nothing is bad"
    around = await look(world, "shop")
    (kept,) = around.kept
    assert (kept.namespace, kept.healthy, kept.good) == ("shop", 1, 1)
    found = await world.last_good.newest(CONF, "uid-web-conf")
    assert found
    assert found.content.data == {"app.yaml": "listen: 8080\n"}


async def test_a_look_at_a_broken_workload_notes_nothing(make_world: MakeWorld) -> None:
    world = await make_world(watched=["shop"])
    (kept,) = (await look(world, "shop")).kept
    assert (kept.healthy, kept.good) == (0, 0)
    assert world.last_good.records == {}


async def test_a_protected_namespace_is_never_looked_at_even_where_somebody_named_it(make_world: MakeWorld) -> None:
    world = await make_world(watched=["kube-system", "shop"])
    around = await look(world, "kube-system", "shop")
    assert world.namespaces.looked_at == ["shop"]
    (refused,) = around.refused
    assert refused.startswith("kube-system: ")
    assert "never-touch-protected-namespaces" in refused


async def test_whoever_may_start_workflows_cannot_have_another_namespace_read(make_world: MakeWorld) -> None:
    world = await make_world(watched=["shop"])
    around = await look(world, "pay")
    assert (around.kept, world.namespaces.looked_at) == ((), [])
    assert "OPSMEND_LAST_GOOD__NAMESPACES" in around.refused[0]


async def test_a_namespace_that_cannot_be_read_leaves_the_others_alone(make_world: MakeWorld) -> None:
    world = await make_world(watched=["pay", "shop"])
    world.cluster.bad = "nothing is bad"
    world.namespaces.forbidden = {"pay"}
    around = await look(world, "pay", "shop")
    assert [kept.namespace for kept in around.kept] == ["shop"]
    assert around.refused == ("pay: ClusterForbiddenError: pods of pay is forbidden",)


async def test_without_its_workers_a_look_ends_before_the_next_ones_pile_up(make_world: MakeWorld) -> None:
    """The hours of four namespaces pass in moments; the run ends and says what it could not do."""
    world = await make_world(skipping=True, watched=["shop"])
    world.namespaces.unavailable = True
    around = await look(world, "shop")
    assert around.kept == ()
    assert around.refused[0].startswith("shop: ")


# --- the schedule ----------------------------------------------------------------------------------------------------------


async def described(client: Client) -> ScheduleDescription:
    return await client.get_schedule_handle(SCHEDULE_ID).describe()


async def test_the_schedule_looks_again_and_again(make_world: MakeWorld) -> None:
    world = await make_world(watched=["shop"])
    world.cluster.bad = "nothing is bad"
    await schedule_last_good(world.client, watching("shop"), timedelta(seconds=1), SOON)

    async def seen_again() -> bool:
        record = world.last_good.records.get(CONF)
        return record is not None and record.versions[0].last_seen > record.versions[0].first_seen

    await eventually(seen_again)
    assert len(await runs(world.client)) >= 2


async def test_the_first_look_does_not_wait_for_the_interval(make_world: MakeWorld) -> None:
    world = await make_world(watched=["shop"])
    await schedule_last_good(world.client, watching("shop"), timedelta(days=1), SOON)

    async def looked() -> list[str]:
        return world.namespaces.looked_at

    assert await eventually(looked) == ["shop"]


async def test_scheduling_twice_leaves_one_schedule_with_the_newest_interval_and_namespaces(make_world: MakeWorld) -> None:
    world = await make_world(watched=["shop"])
    for every, names in ((timedelta(minutes=5), ["shop"]), (timedelta(minutes=9), ["shop", "pay"])):
        await schedule_last_good(world.client, watching(*names), every, SOON)

    async def updated() -> bool:
        spec = (await described(world.client)).schedule.spec
        return [interval.every for interval in spec.intervals] == [timedelta(minutes=9)]

    await eventually(updated)
    schedule = (await described(world.client)).schedule
    assert isinstance(schedule.action, ScheduleActionStartWorkflow)
    (argument,) = schedule.action.args
    assert world.client.data_converter.payload_converter.from_payload(argument, KeepLastGoodRequest).namespaces == (
        "shop",
        "pay",
    )
    assert (schedule.policy.overlap.name, schedule.policy.catchup_window) == ("SKIP", timedelta(minutes=1))


async def test_several_workers_that_start_at_once_agree_on_one(make_world: MakeWorld) -> None:
    world = await make_world(watched=["shop"])
    await asyncio.gather(*(schedule_last_good(world.client, watching("shop"), timedelta(minutes=5), SOON) for _ in range(5)))
    assert [interval.every for interval in (await described(world.client)).schedule.spec.intervals] == [timedelta(minutes=5)]


async def test_where_nothing_is_watched_any_more_the_schedule_goes(world: World) -> None:
    await schedule_last_good(world.client, watching("shop"), timedelta(minutes=5), SOON)
    for _ in range(2):
        await schedule_last_good(world.client, watching(), timedelta(minutes=5), SOON)
    with pytest.raises(RPCError, match=r"not found|no rows"):
        await described(world.client)


async def test_temporal_away_is_said_so() -> None:
    async with await WorkflowEnvironment.start_local(
        data_converter=DATA_CONVERTER, dev_server_existing_path=str(temporal_binary()), ip="127.0.0.1"
    ) as env:
        client = env.client
    with pytest.raises(TemporalUnavailableError, match=SCHEDULE_ID):
        await schedule_last_good(client, watching("shop"), timedelta(minutes=5), timedelta(seconds=1))


# --- after a fix -----------------------------------------------------------------------------------------------------------


async def fixed(world: World) -> Outcome | None:
    await remediated(world)
    return (await world.state()).outcome


async def test_what_a_fix_made_healthy_is_kept_at_once(make_world: MakeWorld) -> None:
    world = await make_world(watched=["shop"])
    assert await fixed(world) is Outcome.REMEDIATED
    assert await world.last_good.newest(CONF, "uid-web-conf")
    state = await world.state()
    assert "1 of 1 ConfigMaps of shop are as seen good" in [e.detail for e in state.timeline if e.event == "last_good.kept"]


async def test_a_namespace_that_is_not_watched_is_not_looked_at_after_a_fix(world: World) -> None:
    assert await fixed(world) is Outcome.REMEDIATED
    assert world.namespaces.looked_at == []


async def test_a_fix_that_did_not_help_keeps_nothing(make_world: MakeWorld) -> None:
    world = await make_world(watched=["shop"], patience=GIVES_UP_SOON)
    await undone(world)
    assert world.namespaces.looked_at == []


async def test_a_record_that_cannot_be_kept_takes_nothing_from_the_fix(make_world: MakeWorld) -> None:
    world = await make_world(watched=["shop"])
    world.namespaces.forbidden = {"shop"}
    assert await fixed(world) is Outcome.REMEDIATED
    handle = world.client.get_workflow_handle(INCIDENT)
    assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED
    (failed,) = [entry for entry in (await world.state()).timeline if entry.event == "last_good.failed"]
    assert "forbidden" in failed.detail
