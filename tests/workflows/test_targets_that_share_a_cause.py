"""A cause from which many targets suffer is the business of one incident: the others wait for its end and call nobody."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from opsmend.adapters.temporal import shared_causes
from opsmend.adapters.temporal.runs import TemporalRuns
from opsmend.domain.call import CallReason
from opsmend.domain.incident import IncidentState, Outcome, Status
from opsmend.domain.shared_cause import CauseKind
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.target import Target
from opsmend.workflows.phases import grouping
from tests.builders import a_decision_request, a_failed_rollout
from tests.workflows.conftest import MakeWorld, World
from tests.workflows.fakes import BAD, GOOD
from tests.workflows.shared_causes import (
    ORDERS,
    TARGETS,
    UNRELATED,
    SharesACause,
    a_dependency_is_down,
    a_shared_config_map_was_edited,
    grouped,
    names_cannot_be_resolved,
    the_registry_is_away,
    until_known,
)

CAUSES = [
    pytest.param(the_registry_is_away, CauseKind.REGISTRY, id="registry"),
    pytest.param(names_cannot_be_resolved, CauseKind.NAME_RESOLUTION, id="DNS"),
    pytest.param(a_dependency_is_down, CauseKind.DEPENDENCY, id="dependency"),
    pytest.param(a_shared_config_map_was_edited, CauseKind.CONFIG_MAP, id="shared ConfigMap"),
]


@pytest.fixture(autouse=True)
def everything_goes_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_causes, "FRESH", 0.0)
    monkeypatch.setattr(grouping, "RECOVERS_WITHIN", timedelta(milliseconds=200))


async def outbreak(world: World, *targets: Target) -> None:
    for target in targets:
        await world.alert(target=target)


async def settled(world: World, target: Target) -> IncidentState:
    return await world.until_there(
        lambda s: grouped(s) or s.status in (Status.CLOSED, Status.AWAITING_APPROVAL), incident=target.incident_id
    )


@pytest.mark.parametrize(("suffering", "kind"), CAUSES)
async def test_one_calls_people_and_the_others_wait_for_it(
    make_world: MakeWorld, suffering: Callable[[Target], Snapshot], kind: CauseKind
) -> None:
    cluster = SharesACause(suffering)
    world = await make_world(cluster=cluster)
    await outbreak(world, TARGETS[0])
    first = await settled(world, TARGETS[0])
    assert first.diagnosis is not None
    assert first.diagnosis.shared is not None
    assert first.diagnosis.shared.kind is kind
    assert first.outcome is Outcome.ESCALATED

    await until_known(world, kind)
    await outbreak(world, *TARGETS[1:], UNRELATED)
    for target in TARGETS[1:]:
        member = await settled(world, target)
        assert grouped(member), member.timeline
        assert first.id in next(e.detail for e in member.timeline if e.event == "cause.grouped")
        assert (member.status, member.plan) == (Status.INVESTIGATING, None)
        assert cluster.asked[target.name] == ["a glance"]
    assert (await settled(world, UNRELATED)).status is Status.AWAITING_APPROVAL
    assert cluster.asked[UNRELATED.name] == ["a glance", "everything"]
    told = await world.until(
        lambda s: any(e.event == "cause.shared" and e.detail.startswith("5 other") for e in s.timeline), incident=first.id
    )
    assert told.outcome is Outcome.ESCALATED
    assert [c.reason for c in world.chat.calls if c.reason is CallReason.NEEDS_PERSON and "broken" not in c.text] == [
        CallReason.NEEDS_PERSON
    ]


async def test_the_incident_of_the_dependency_itself_asks_and_its_callers_wait_for_the_fix(make_world: MakeWorld) -> None:
    cluster = SharesACause(a_dependency_is_down)
    world = await make_world(cluster=cluster)
    await outbreak(world, ORDERS)
    asked = await settled(world, ORDERS)
    await until_known(world, CauseKind.DEPENDENCY)
    await outbreak(world, *TARGETS[:3])
    for target in TARGETS[:3]:
        assert grouped(await settled(world, target))
    assert len(world.chat.calls) == 1, "one question"

    cluster.there = False
    await world.desk.decide(ORDERS.incident_id, a_decision_request(asked.plan))
    fixed = await world.until(lambda s: s.status is Status.CLOSED, incident=ORDERS.incident_id)
    assert fixed.outcome is Outcome.REMEDIATED, fixed.closing
    for target in TARGETS[:3]:
        looked = await world.until(lambda s: s.status is Status.CLOSED, incident=target.incident_id)
        assert looked.outcome is Outcome.NO_ACTION, looked.closing
    assert len(world.cluster.changes) == 1


async def test_the_incident_of_the_dependency_does_not_wait_for_a_caller_that_was_first(make_world: MakeWorld) -> None:
    """The caller knows of no fix, and the dependency itself has one."""
    world = await make_world(cluster=SharesACause(a_dependency_is_down))
    await outbreak(world, TARGETS[0])
    assert (await settled(world, TARGETS[0])).outcome is Outcome.ESCALATED
    await until_known(world, CauseKind.DEPENDENCY)
    await outbreak(world, ORDERS)
    asked = await settled(world, ORDERS)
    assert (asked.status, grouped(asked)) == (Status.AWAITING_APPROVAL, False)


async def a_holder_and_a_member(world: World, **of_the_member: str) -> tuple[IncidentState, IncidentState]:
    await outbreak(world, TARGETS[0])
    holder = await settled(world, TARGETS[0])
    await until_known(world, CauseKind.REGISTRY)
    await world.alert(target=TARGETS[1], **of_the_member)
    member = await settled(world, TARGETS[1])
    assert grouped(member)
    return holder, member


async def test_members_look_again_once_the_holder_is_over(make_world: MakeWorld) -> None:
    """The registry is back for the holder, but the member has got another trouble meanwhile."""
    cluster = SharesACause(the_registry_is_away)
    world = await make_world(cluster=cluster)
    _, member = await a_holder_and_a_member(world)
    cluster.suffering = lambda target: a_failed_rollout(GOOD, BAD, target=target)
    await world.alert(target=TARGETS[0], status="resolved")
    asked = await world.until(lambda s: s.status is Status.AWAITING_APPROVAL, incident=member.id)
    assert asked.diagnosis is not None
    assert asked.diagnosis.shared is None
    assert any(entry.event == "cause.looking" for entry in asked.timeline)


async def test_a_member_that_waits_for_long_is_looked_into_as_a_whole(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has a trouble of its own besides, which no glance tells."""
    monkeypatch.setattr(grouping, "LOOKS_AT_LEAST", timedelta(seconds=1))
    cluster = SharesACause(the_registry_is_away)
    world = await make_world(cluster=cluster)
    _, member = await a_holder_and_a_member(world)
    cluster.suffering = lambda target: a_failed_rollout(GOOD, BAD, target=target)
    asked = await world.until(lambda s: s.status is Status.AWAITING_APPROVAL, incident=member.id)
    assert asked.diagnosis is not None
    assert asked.diagnosis.shared is None
    assert cluster.asked[TARGETS[1].name] == ["a glance", "everything"]


async def test_a_member_whose_alert_resolves_ends_well_and_quietly(make_world: MakeWorld) -> None:
    world = await make_world(cluster=SharesACause(the_registry_is_away))
    _, member = await a_holder_and_a_member(world)
    await world.alert(target=TARGETS[1], status="resolved")
    closed = await world.until(lambda s: s.status is Status.CLOSED, incident=member.id)
    assert closed.outcome is Outcome.SELF_RESOLVED
    assert "registry registry.example" in closed.closing
    assert len(world.chat.calls) == 1


async def test_a_member_that_is_graver_than_all_before_calls_people_once(make_world: MakeWorld) -> None:
    world = await make_world(cluster=SharesACause(the_registry_is_away))
    await a_holder_and_a_member(world, severity="critical")
    await world.alert(target=TARGETS[2], severity="critical")
    assert grouped(await settled(world, TARGETS[2]))
    async with asyncio.timeout(20):
        while len(world.chat.calls) < 2:
            await asyncio.sleep(0.05)
    assert ["Graver than all" in call.text for call in world.chat.calls] == [False, True]


async def test_a_member_that_grows_graver_while_it_waits_calls_people(make_world: MakeWorld) -> None:
    world = await make_world(cluster=SharesACause(the_registry_is_away))
    await a_holder_and_a_member(world)
    await world.alert(target=TARGETS[1], name="NobodyCanPay", severity="critical")
    async with asyncio.timeout(20):
        while len(world.chat.calls) < 2:
            await asyncio.sleep(0.05)
    assert "Graver than all" in world.chat.calls[-1].text


async def test_a_holder_that_somebody_terminated_holds_nobody_up(make_world: MakeWorld) -> None:
    world = await make_world(cluster=SharesACause(the_registry_is_away))
    holder, member = await a_holder_and_a_member(world)
    await world.client.get_workflow_handle(holder.id).terminate("by hand")
    freed: tuple[str, ...] = ()
    async with asyncio.timeout(20):
        while not freed:  # until visibility has followed
            freed = await TemporalRuns(world.client).free_locks_of_the_gone()
    assert freed == ("cause:demo:registry:registry.example",)
    taken_over = await world.until(lambda s: s.outcome is Outcome.ESCALATED, incident=member.id)
    assert taken_over.diagnosis is not None
    assert not taken_over.diagnosis.at_a_glance


async def test_a_holder_that_looks_again_and_finds_another_trouble_holds_nobody_up(make_world: MakeWorld) -> None:
    cluster = SharesACause(a_dependency_is_down)
    world = await make_world(cluster=cluster)
    await outbreak(world, ORDERS)
    asked = await settled(world, ORDERS)
    await until_known(world, CauseKind.DEPENDENCY)
    await outbreak(world, TARGETS[0])
    assert grouped(await settled(world, TARGETS[0]))

    cluster.serves_though_its_rollout_failed = True
    world.cluster.edit()  # the plan is stale: it looks again
    await world.desk.decide(ORDERS.incident_id, a_decision_request(asked.plan))
    again = await world.until(lambda s: any(e.event == "plan.stale" for e in s.timeline), incident=ORDERS.incident_id)
    again = await world.until(lambda s: s.status is Status.AWAITING_APPROVAL, incident=ORDERS.incident_id)
    assert again.diagnosis is not None
    assert again.diagnosis.stands_for == ()
    freed = await world.until(lambda s: any(e.event == "cause.looking" for e in s.timeline), incident=TARGETS[0].incident_id)
    assert freed.id == TARGETS[0].incident_id
