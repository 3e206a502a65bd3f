"""A decision while no worker answers: the person gets a sentence in time, may repeat it, and it counts once."""

from contextlib import AsyncExitStack, suppress
from datetime import timedelta

import pytest

from opsmend.adapters.temporal import desk as the_desk
from opsmend.domain.incident import IncidentState, Outcome
from opsmend.errors import AlreadyDecidedError, DecisionUnconfirmedError
from opsmend.worker import workflows_worker
from tests.builders import a_decision_request
from tests.workflows.conftest import INCIDENT, World
from tests.workflows.servers import SharedTemporal


@pytest.fixture
async def world(temporal: SharedTemporal) -> World:
    """With a server and nobody at work."""
    return World(await temporal.client())


async def asked(world: World) -> IncidentState:
    """An incident whose question was asked before all workers went away."""
    async with AsyncExitStack() as workers:
        await world.work(workers)
        await world.alert()
        return await world.until_asked()


async def decide_in_vain(world: World, state: IncidentState, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of somebody with little patience."""
    with monkeypatch.context() as patched:
        patched.setattr(the_desk, "_ANSWERED_WITHIN", timedelta(seconds=1))
        with pytest.raises(DecisionUnconfirmedError, match="repeating is safe"):
            await decide(world, state)


async def decide(world: World, state: IncidentState) -> None:
    assert state.plan
    await world.desk.decide(INCIDENT, a_decision_request(state.plan))


def approvals(state: IncidentState) -> int:
    return sum(entry.event == "plan.approve" for entry in state.timeline)


async def test_without_a_workflow_worker_it_is_unconfirmed_and_counts_once_when_repeated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = await asked(world)
    await decide_in_vain(world, state, monkeypatch)
    async with AsyncExitStack() as workers:
        await world.work(workers)
        with suppress(AlreadyDecidedError):  # the first one may have been taken meanwhile
            await decide(world, state)
        closed = await world.until_closed()
    assert closed.outcome is Outcome.REMEDIATED
    assert approvals(closed) == 1


async def test_without_the_worker_that_judges_people_it_is_unconfirmed_and_taken_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = await asked(world)
    async with AsyncExitStack() as workers:
        async with workflows_worker(world.client):
            await decide_in_vain(world, state, monkeypatch)
        await world.work(workers)
        closed = await world.until_closed()
    assert closed.outcome is Outcome.REMEDIATED
    assert approvals(closed) == 1
