"""What an incident asked of the Kubernetes API is on its bill, also what failed tries and failed agents asked."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.worker import Worker

from opsmend.activities.interceptor import ActivityConduct
from opsmend.agents import work
from opsmend.agents.work import ledger_in
from opsmend.domain.call_ledger import ApiCall
from opsmend.domain.incident import Outcome
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.target import Target
from opsmend.errors import ClusterForbiddenError, ClusterUnavailableError
from tests.builders import a_decision_request
from tests.workflows.conftest import INCIDENT, QUICK, MakeWorld, World

Snapshots = Callable[..., Awaitable[Snapshot]]

PODS = ApiCall(verb="list", resource="pods", namespace="shop")


def ask(call: ApiCall = PODS, size: int = 100) -> None:
    """What a connection does for each call."""
    doing = work.current()
    assert doing is not None
    doing.enter(call, size)


def asking(answer: Snapshots, *failures: Exception) -> Snapshots:
    """Each look is one call; the first ones fail."""
    left = list(failures)

    async def snapshot(target: Target, **how: bool) -> Snapshot:
        ask()
        if left:
            raise left.pop(0)
        return await answer(target, **how)

    return snapshot


async def test_each_agent_has_its_calls_on_the_bill_and_in_the_timeline(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.cluster, "snapshot", asking(world.cluster.snapshot))
    await world.alert()
    asked = await world.until_asked()
    assert asked.calls["sre"].calls == 1
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    closed = await world.until_closed()
    assert closed.calls["sre"].calls == closed.usage.api_calls == 1 + 3
    assert closed.usage.api_bytes == 400
    (counted,) = closed.calls["sre"].counted
    assert (counted.verb, counted.resource, counted.times) == ("list", "pods", 4)
    told = [entry.detail for entry in closed.timeline if entry.event == "api.called"]
    assert [detail.partition(" ")[0] for detail in told] == ["sre:1", "sre:2"]
    assert closed.postmortem is not None
    assert "sre 4 calls" in closed.postmortem.markdown


async def test_calls_of_failed_tries_count_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [ClusterUnavailableError("try again", timedelta(milliseconds=10)) for _ in range(3)]
    monkeypatch.setattr(world.cluster, "snapshot", asking(world.cluster.snapshot, *failures))
    await world.alert()
    asked = await world.until_asked()
    assert asked.calls["sre"].calls == 4


async def test_calls_of_an_agent_that_gave_up_count_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = (ClusterUnavailableError("try again", timedelta(milliseconds=10)), ClusterForbiddenError("no right"))
    monkeypatch.setattr(world.cluster, "snapshot", asking(world.cluster.snapshot, *failures))
    await world.alert()
    closed = await world.until_closed()
    assert closed.outcome is Outcome.ESCALATED
    assert "no right" in closed.closing
    assert closed.calls["sre"].calls == closed.usage.api_calls == 2


async def test_looks_before_the_one_that_failed_count_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.alert()
    asked = await world.until_asked()
    looks = asking(world.cluster.snapshot)

    async def forbidden_at_the_third(target: Target, **how: bool) -> Snapshot:
        seen = await looks(target, **how)
        forbidden_at_the_third.looks += 1  # type: ignore[attr-defined]
        if forbidden_at_the_third.looks == 3:  # type: ignore[attr-defined]
            raise ClusterForbiddenError("taken away")
        return seen

    forbidden_at_the_third.looks = 0  # type: ignore[attr-defined]
    monkeypatch.setattr(world.cluster, "snapshot", forbidden_at_the_third)
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    closed = await world.until_closed()
    assert closed.outcome is Outcome.ROLLED_BACK
    assert closed.calls["sre"].calls == 3


async def test_an_agent_that_is_called_off_finishes_what_it_reads(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = asking(world.cluster.snapshot)
    looking, resolved = asyncio.Event(), asyncio.Event()

    async def while_it_resolves(target: Target, **how: bool) -> Snapshot:
        looking.set()
        await resolved.wait()
        return await looks(target, **how)

    monkeypatch.setattr(world.cluster, "snapshot", while_it_resolves)
    await world.alert()
    await asyncio.wait_for(looking.wait(), 20)
    await world.alert(status="resolved")
    await world.until(lambda s: s.alerts[0].status == "resolved")
    resolved.set()
    closed = await world.until_closed()
    assert closed.outcome is Outcome.SELF_RESOLVED
    assert closed.calls["sre"].calls == 1
    assert closed.plan is None


async def test_an_agent_that_hangs_is_called_off_after_a_moment(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await make_world(patience=QUICK.model_copy(update={"finish_within": timedelta(milliseconds=200)}))
    looking = asyncio.Event()

    async def hangs(target: Target, **how: bool) -> Snapshot:
        looking.set()
        await asyncio.Event().wait()
        raise AssertionError("nothing sets it")

    monkeypatch.setattr(world.cluster, "snapshot", hangs)
    await world.alert()
    await asyncio.wait_for(looking.wait(), 20)
    await world.alert(status="resolved")
    closed = await world.until_closed()
    assert closed.outcome is Outcome.SELF_RESOLVED


async def test_a_bug_is_tried_again_and_its_calls_count(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.cluster, "snapshot", asking(world.cluster.snapshot, KeyError("a field that we took for granted")))
    await world.alert()
    asked = await world.until_asked()
    assert asked.calls["sre"].calls == 2


@activity.defn(name="asks_and_stops")
async def asks_and_stops() -> int:
    """The first try asks twice at once, so that only the beat of its end can tell of it; the second tells what it knows."""
    earlier = ledger_in(activity.info().heartbeat_details)
    if activity.info().attempt > 1:
        return earlier.calls
    ask()
    ask()
    raise ClusterUnavailableError("try again")


@workflow.defn(name="AsksAndStops", sandboxed=False)
class AsksAndStops:
    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_activity(
            asks_and_stops,
            start_to_close_timeout=timedelta(seconds=10),
            heartbeat_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=10)),
        )


async def test_the_last_heartbeat_is_sent_along_with_a_failure(world: World) -> None:
    """The SDK holds heartbeats back for most of their timeout; the ledger relies on its letting the last one go at the end."""
    async with Worker(
        world.client,
        task_queue="opsmend-test",
        workflows=[AsksAndStops],
        activities=[asks_and_stops],
        interceptors=[ActivityConduct()],
    ):
        running = world.client.execute_workflow(AsksAndStops.run, id="asks", task_queue="opsmend-test")
        assert await asyncio.wait_for(running, 20) == 2


class Long:
    """An activity that goes on until it may end."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()

    @activity.defn(name="takes_long")
    async def run(self) -> int:
        await self.may_end.wait()
        return activity.info().attempt


@workflow.defn(name="TakesLong", sandboxed=False)
class TakesLong:
    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_activity_method(
            Long.run,
            start_to_close_timeout=timedelta(minutes=1),
            heartbeat_timeout=timedelta(seconds=1),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=10)),
        )


async def test_an_activity_that_takes_long_is_left_alone(world: World) -> None:
    long = Long()
    async with Worker(
        world.client,
        task_queue="opsmend-test",
        workflows=[TakesLong],
        activities=[long.run],
        interceptors=[ActivityConduct()],
    ):
        running = await world.client.start_workflow(TakesLong.run, id="takes-long", task_queue="opsmend-test")

        beats: set[int] = set()
        async with asyncio.timeout(20):
            while len(beats - {0}) < 3:
                described = (await running.describe()).raw_description
                beats |= {pending.last_heartbeat_time.ToNanoseconds() for pending in described.pending_activities}
                await asyncio.sleep(0.05)
        long.may_end.set()
        assert await running.result() == 1
