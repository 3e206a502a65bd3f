"""What is looked at in the wrong moment is looked at again, a few times, before a person is told that nothing is known."""

from datetime import timedelta

import pytest

from opsmend.domain.incident import IncidentState, Outcome
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.target import Target
from opsmend.workflows.phases.sitting_out import LOOKS_WHILE_IT_MOVES
from tests.builders import a_crashing_container, a_pod, a_snapshot, a_workload
from tests.workflows.conftest import MakeWorld
from tests.workflows.fakes import ClusterInMemory, SeenInTheWrongMoment


def waits(state: IncidentState) -> int:
    return sum(entry.event == "motion.waiting" for entry in state.timeline)


async def test_a_container_that_just_starts_once_more_is_looked_at_again_and_mended(make_world: MakeWorld) -> None:
    world = await make_world(cluster=SeenInTheWrongMoment(2), skipping=True)
    await world.alert()
    asked = await world.until(lambda s: s.status == "awaiting_approval", within=60)
    assert waits(asked) == 2
    assert asked.diagnosis is not None
    assert asked.diagnosis.category == "crash_after_rollout"


async def test_what_tells_nothing_in_any_look_is_a_persons_soon(make_world: MakeWorld) -> None:
    world = await make_world(cluster=SeenInTheWrongMoment(100), skipping=True)
    await world.alert()
    closed = await world.until(lambda s: s.status == "closed", within=60)
    assert closed.outcome is Outcome.ESCALATED
    assert closed.closing.startswith("no cause could be told")
    assert waits(closed) == len(LOOKS_WHILE_IT_MOVES)
    assert closed.closed_at is not None
    assert closed.closed_at - closed.opened_at < timedelta(minutes=3)


async def test_alerts_that_resolve_meanwhile_end_it(make_world: MakeWorld) -> None:
    world = await make_world(cluster=SeenInTheWrongMoment(100))
    await world.alert()
    await world.until(lambda s: waits(s) == 1)
    await world.alert(status="resolved")
    closed = await world.until_closed()
    assert closed.outcome is Outcome.SELF_RESOLVED


class SilentAndAtRest(ClusterInMemory):
    """Its pods wait in CrashLoopBackOff, and no log, event or change says why."""

    async def snapshot(self, target: Target) -> Snapshot:
        pods = tuple(a_pod(f"web-6d4cf-{suffix}", containers=[a_crashing_container()]) for suffix in "ab")
        return a_snapshot(target=target, workload=a_workload(ready_replicas=0, available_replicas=0), pods=pods)


class WithoutPods(ClusterInMemory):
    """A target of which nothing says whether it is well: a quota, say."""

    async def snapshot(self, target: Target) -> Snapshot:
        return a_snapshot(target=target, workload=None, pods=(), revisions=(), services=())


@pytest.mark.parametrize("cluster", [SilentAndAtRest, WithoutPods])
async def test_what_is_at_rest_is_a_persons_at_once(make_world: MakeWorld, cluster: type[ClusterInMemory]) -> None:
    world = await make_world(cluster=cluster())
    await world.alert()
    closed = await world.until_closed()
    assert closed.closing.startswith("no cause could be told")
    assert waits(closed) == 0
