"""Once somebody took an incident over or stopped it, nothing more is changed, whatever it was about to do."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from opsmend.domain.approval import Person
from opsmend.domain.incident import IncidentState, Outcome, Status
from opsmend.domain.plan import Plan
from opsmend.domain.steering import Stop, TakeOver
from opsmend.domain.verdict import PolicyDecision
from opsmend.errors import ClusterUnavailableError, PermanentError, TransientError
from opsmend.policy.engine import CedarJudge
from opsmend.policy.policy_files import shipped_policies
from tests.builders import a_decision_request, a_person
from tests.workflows.conftest import INCIDENT, MakeWorld, World

pytestmark = pytest.mark.safety

MIA = a_person(via="http", id="operator", name="mia")


class SecurityAway(CedarJudge):
    """Cannot say who may steer while it is away."""

    away = False

    def may_operate(self, person: Person, *, cluster: str) -> PolicyDecision:
        if self.away:
            raise TransientError("away")
        return super().may_operate(person, cluster=cluster)


async def approve(world: World) -> Plan:
    await world.alert()
    asked = await world.until_asked()
    assert asked.plan is not None
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    return asked.plan


class ClusterAway:
    """Whatever is asked of it gets no answer until it is back."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask
        self.back = False
        self.asked = asyncio.Event()

    async def __call__(self, *about: Any) -> Any:
        if not self.back:
            self.asked.set()
            raise ClusterUnavailableError("no answer")
        return await self._ask(*about)


@pytest.fixture
def cluster_away(world: World, monkeypatch: pytest.MonkeyPatch) -> ClusterAway:
    away = ClusterAway(world.cluster.dry_run)
    monkeypatch.setattr(world.cluster, "dry_run", away)
    return away


async def test_a_plan_that_waits_for_the_cluster_is_not_carried_out_after_a_take_over(
    world: World, cluster_away: ClusterAway
) -> None:
    await approve(world)
    await cluster_away.asked.wait()
    await world.steering.take_over(INCIDENT, TakeOver(by=MIA))
    cluster_away.back = True
    closed = await world.until(lambda s: s.status is Status.CLOSED, within=60)
    assert closed.outcome is Outcome.ESCALATED
    assert world.cluster.changes == []


async def test_a_plan_that_waits_for_the_cluster_is_not_carried_out_after_a_stop(
    world: World, cluster_away: ClusterAway
) -> None:
    await approve(world)
    await cluster_away.asked.wait()
    await world.steering.stop(INCIDENT, Stop(by=MIA))
    cluster_away.back = True
    closed = await world.until(lambda s: s.status is Status.CLOSED, within=60)
    assert closed.outcome is Outcome.ESCALATED
    assert world.cluster.changes == []


@pytest.mark.parametrize("after_all", [True, False], ids=["made", "answer lost"])
async def test_a_change_that_is_being_made_stays_with_whoever_takes_over(
    world: World, monkeypatch: pytest.MonkeyPatch, after_all: bool
) -> None:
    made, goes_on, apply = asyncio.Event(), asyncio.Event(), world.cluster.apply

    async def slow(*about: Any) -> Any:
        record = await apply(*about)
        made.set()
        await goes_on.wait()
        if not after_all:
            raise PermanentError("the answer was lost")
        return record

    monkeypatch.setattr(world.cluster, "apply", slow)
    plan = await approve(world)
    await made.wait()
    await world.steering.take_over(INCIDENT, TakeOver(by=MIA))
    goes_on.set()
    closed = await world.until(lambda s: s.status is Status.CLOSED, within=60)
    assert closed.outcome is Outcome.ESCALATED
    assert "stays as it is" in closed.closing
    assert world.cluster.changes == [f"{plan.hash}#1"]


async def resent_until_it_goes_on(world: World, before: IncidentState) -> None:
    async with asyncio.timeout(60):
        while (await world.state()).now_in == before.now_in:
            await world.alert()


@pytest.mark.parametrize("how", ["take over", "stop"])
async def test_it_is_heeded_though_the_incident_goes_on_in_a_new_run_meanwhile(make_world: MakeWorld, how: str) -> None:
    judge = SecurityAway(shipped_policies())
    world = await make_world(longest_history=120, judge=judge)
    await world.alert()
    asked = await world.until_asked()
    judge.away = True
    steer = (
        world.steering.stop(INCIDENT, Stop(by=MIA)) if how == "stop" else world.steering.take_over(INCIDENT, TakeOver(by=MIA))
    )
    steering = asyncio.create_task(steer)
    storm = asyncio.create_task(resent_until_it_goes_on(world, asked))
    await asyncio.sleep(3)  # the history is long by then, and the run waits for the answer of Security
    judge.away = False
    await steering
    await storm
    closed = await world.until_closed()
    assert closed.closing.startswith(f"mia (http) {'stopped it' if how == 'stop' else 'took it over'}")
