"""What was found well, and what nobody could look at, is looked at again while its alert fires on."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from opsmend.domain.approval import Answer
from opsmend.domain.incident import IncidentState, Outcome, Status
from opsmend.domain.ports.chat import MessageRef, Notice
from opsmend.errors import ClusterCredentialError, ClusterForbiddenError
from tests.builders import a_decision_request
from tests.workflows.conftest import INCIDENT, QUICK, MakeWorld, World

SOON: Final = QUICK.model_copy(update={"look_again_after": timedelta(seconds=0.5)})
WELL: Final = "nothing is bad"


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world(patience=SOON)


async def found_well(world: World) -> IncidentState:
    world.cluster.bad = WELL
    await world.alert()
    closed = await world.until_closed()
    assert closed.outcome is Outcome.NO_ACTION
    return closed


def looks(state: IncidentState) -> list[timedelta]:
    """How long after the end each was taken."""
    assert state.closed_at is not None
    return [entry.at - state.closed_at for entry in state.timeline if entry.event == "look.taken"]


def about(*minutes: int) -> list[Callable[[timedelta], bool]]:
    """Each a little later than that: a look takes a moment."""
    return [lambda at, m=m: timedelta(minutes=m) <= at < timedelta(minutes=m + 2) for m in minutes]  # type: ignore[misc]


async def test_a_target_that_broke_after_it_was_found_well_gets_its_question(world: World) -> None:
    bad = world.cluster.bad
    closed = await found_well(world)
    world.cluster.bad = bad
    asked = await world.until(lambda s: s.run_id != closed.run_id and s.status is Status.AWAITING_APPROVAL)
    assert asked.alerts[0].firing == closed.alerts[0].firing
    assert world.chat.messages[closed.run_id].state.outcome is Outcome.NO_ACTION


async def test_a_target_that_is_still_well_is_looked_at_in_silence(world: World) -> None:
    closed = await found_well(world)
    state = await world.until(lambda s: len(looks(s)) >= 2)
    assert (state.run_id, state.outcome) == (closed.run_id, Outcome.NO_ACTION)
    assert list(world.chat.messages) == [closed.run_id]
    assert world.chat.calls == []


async def test_looks_get_rarer_while_it_is_well(make_world: MakeWorld) -> None:
    world = await make_world(skipping=True)
    await found_well(world)
    await world.client.get_workflow_handle(INCIDENT).result()
    state = await world.state()
    when = looks(state)
    expected = about(15, 15 + 30, 45 + 60, 105 + 120, 225 + 240, 465 + 240)
    assert len(when) == len(expected)
    assert all(check(at) for check, at in zip(expected, when, strict=True)), when


@pytest.mark.parametrize(
    ("resend", "minutes"),
    [
        pytest.param({}, 15, id="a mere resend"),
        pytest.param({"severity": "critical"}, 5, id="another severity"),
        pytest.param({"annotations": {"summary": "it is at 97 % now"}}, 5, id="another annotation"),
    ],
)
async def test_an_alert_that_says_something_else_is_looked_into_sooner(
    make_world: MakeWorld, resend: dict[str, Any], minutes: int
) -> None:
    world = await make_world(skipping=True)
    told = hold_what_is_told_of_the_end(world)
    await found_well(world)
    await world.alert(**resend)
    await world.until(lambda s: s.alerts_received == 2)
    told.set()
    state = await world.until(lambda s: len(looks(s)) >= 1, within=60)
    (check,) = about(minutes)
    assert check(looks(state)[0]), looks(state)


def hold_what_is_told_of_the_end(world: World) -> asyncio.Event:
    """Until it is set: no time is skipped while an activity is at work."""
    publish, told = world.chat.publish, asyncio.Event()

    async def waits(notice: Notice) -> MessageRef | None:
        if notice.state.status is Status.CLOSED:
            await told.wait()
        return await publish(notice)

    world.chat.publish = waits  # type: ignore[method-assign]
    return told


def nobody_may_look(world: World) -> None:
    async def refused(*args: Any, **kwargs: Any) -> Any:
        raise ClusterCredentialError("the token has expired")

    world.cluster.snapshot = refused  # type: ignore[method-assign]


def nobody_may_plan(world: World) -> None:
    async def refused(*args: Any, **kwargs: Any) -> Any:
        raise ClusterForbiddenError("no right to read the Deployment")

    world.cluster.read = refused  # type: ignore[method-assign]


def nobody_may_change(world: World) -> None:
    async def refused(*args: Any, **kwargs: Any) -> Any:
        raise ClusterCredentialError("the executor's token has expired")

    world.cluster.dry_run = refused  # type: ignore[method-assign]


@pytest.mark.parametrize("breaks", [nobody_may_look, nobody_may_plan, nobody_may_change])
async def test_an_expired_token_is_told_and_the_alert_is_looked_into_once_it_works(
    world: World, breaks: Callable[[World], None]
) -> None:
    works = {name: getattr(world.cluster, name) for name in ("snapshot", "read", "dry_run")}
    breaks(world)
    await world.alert()
    if breaks is nobody_may_change:
        asked = await world.until_asked()
        await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    closed = await world.until_closed()
    assert closed.outcome is Outcome.ESCALATED
    for name, method in works.items():
        setattr(world.cluster, name, method)

    asked = await world.until(lambda s: s.run_id != closed.run_id and s.status is Status.AWAITING_APPROVAL)
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    fixed = await world.until(lambda s: s.run_id == asked.run_id and s.status is Status.CLOSED)
    assert fixed.outcome is Outcome.REMEDIATED


async def test_while_the_token_does_not_work_nothing_new_is_opened(world: World) -> None:
    nobody_may_look(world)
    await world.alert()
    closed = await world.until_closed()
    tried = world.client.get_workflow_handle(f"{INCIDENT}:sre:4")
    while not await is_there(tried):
        pass
    state = await world.state()
    assert (state.run_id, list(world.chat.messages)) == (closed.run_id, [closed.run_id])
    assert [e.event for e in state.timeline].count("look.failed") == 1, "the same is no news"


async def is_there(handle: WorkflowHandle[Any, Any]) -> bool:
    try:
        return bool(await handle.describe())
    except RPCError:
        return False


async def test_what_a_person_said_no_to_is_left_to_people(make_world: MakeWorld) -> None:
    world = await make_world(patience=SOON.model_copy(update={"quiet_after": timedelta(seconds=3)}))
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan, Answer.REJECT))
    await world.until_closed()
    await world.client.get_workflow_handle(INCIDENT).result()
    assert looks(await world.state()) == []
