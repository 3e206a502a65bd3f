"""What a lost node broke belongs to the incident of the node, for as long as the node is to blame and no longer."""

import asyncio
from datetime import timedelta

import pytest

from opsmend.domain.alert import Alert
from opsmend.domain.incident import IncidentState, Outcome, Status
from opsmend.domain.ports.desk import IncidentReceipt
from opsmend.domain.target import Kind, Target
from opsmend.errors import AlertsRejectedError, BadPayloadError, OtherClusterError
from opsmend.workflows.phases import guests
from tests.builders import NOW, a_decision_request, a_ref, a_target, an_alert
from tests.workflows.conftest import INCIDENT, MakeWorld, World
from tests.workflows.fakes import LosesItsNode

NODE = a_target(Kind.NODE, "node-1", "")
LABELLED = a_target(node="node-1")
"""Deployment shop/web, by an alert that names the node of its pod."""


@pytest.fixture
def cluster() -> LosesItsNode:
    return LosesItsNode()


@pytest.fixture
async def world(make_world: MakeWorld, cluster: LosesItsNode) -> World:
    return await make_world(cluster=cluster)


async def node_closed(world: World) -> IncidentState:
    return await world.until(lambda s: s.status is Status.CLOSED, incident=NODE.incident_id)


def waits_for_the_node(state: IncidentState) -> bool:
    return any(e.event == "node.waiting" and NODE.incident_id in e.detail for e in state.timeline)


def looks_at_the_node(state: IncidentState) -> int:
    return sum(entry.event == "node.looking" for entry in state.timeline)


async def test_a_thousand_alerts_of_what_runs_on_a_lost_node_are_one_incident(world: World, cluster: LosesItsNode) -> None:
    await world.alert(target=NODE, name="KubeNodeNotReady")
    for start in range(0, 1_000, 100):
        numbers = range(start, start + 100)
        await asyncio.gather(*(world.alert(target=a_target(name=f"web-{n}", node="node-1")) for n in numbers))
    state = await world.until(lambda s: s.alerts_received == 1_001, incident=NODE.incident_id, within=60)
    closed = await node_closed(world)
    assert closed.outcome is Outcome.ESCALATED
    assert closed.diagnosis is not None
    assert closed.diagnosis.resource == NODE.ref
    assert state.alerts[0].name == "KubeNodeNotReady", "its own alerts come first"
    assert set(cluster.looked_at) == {str(NODE)}
    assert {row.id for row in await world.desk.list()} == {NODE.incident_id}


async def test_what_recovers_with_the_node_is_not_looked_into(world: World, cluster: LosesItsNode) -> None:
    await world.alert(target=NODE)
    await world.alert(target=LABELLED)
    await node_closed(world)
    await world.alert(target=LABELLED, status="resolved")
    await world.alert(target=NODE, status="resolved")
    result = await world.client.get_workflow_handle(NODE.incident_id).result()
    assert result["outcome"] == Outcome.ESCALATED
    assert set(cluster.looked_at) == {str(NODE)}


async def test_what_fires_on_when_the_node_is_back_is_looked_into_for_itself(
    world: World, cluster: LosesItsNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guests, "GRACE", timedelta(milliseconds=200))
    cluster.broken_besides = True
    await world.alert(target=NODE)
    await world.alert(target=LABELLED)
    await node_closed(world)
    cluster.lost = False
    await world.alert(target=NODE, status="resolved")
    asked = await world.until_there(lambda s: s.status is Status.AWAITING_APPROVAL, within=60)
    assert asked.plan is not None
    assert [step.action.target for step in asked.plan.steps] == [a_ref(name="web")]


async def test_alerts_are_handed_on_at_once_when_the_node_is_not_to_blame(world: World, cluster: LosesItsNode) -> None:
    cluster.lost = False
    cluster.broken_besides = True
    await world.alert(target=NODE, name="NodeDiskSlow")
    await world.alert(target=LABELLED)
    asked = await world.until_there(lambda s: s.status is Status.AWAITING_APPROVAL)
    assert asked.target.incident_id == INCIDENT
    assert (await node_closed(world)).outcome is Outcome.NO_ACTION


async def test_a_storm_that_the_node_did_not_cause_is_looked_into_target_by_target(world: World, cluster: LosesItsNode) -> None:
    """The alerts came together and named one node, so they were handed to its incident."""
    cluster.lost = False
    targets = [a_target(name=f"web-{number}", node="node-1") for number in range(20)]
    first, second = (tuple(an_alert(target=target) for target in some) for some in (targets[:10], targets[10:]))
    await world.desk.submit(NODE, first)
    assert (await node_closed(world)).outcome is Outcome.NO_ACTION
    await world.desk.submit(NODE, second)
    for target in targets:
        closed = await world.until_there(lambda s: s.status is Status.CLOSED, incident=target.incident_id, within=60)
        assert closed.outcome is Outcome.NO_ACTION


async def test_an_incident_that_finds_its_node_lost_leaves_it_to_the_incident_of_the_node(
    world: World, cluster: LosesItsNode
) -> None:
    await world.alert()
    await world.alert(target=a_target(name="cart"))
    for incident in (INCIDENT, a_target(name="cart").incident_id):
        waiting = await world.until(waits_for_the_node, incident=incident)
        assert waiting.outcome is None
    closed = await node_closed(world)
    assert closed.outcome is Outcome.ESCALATED
    await world.alert(status="resolved")
    assert (await world.until_closed()).outcome is Outcome.SELF_RESOLVED


async def test_it_looks_again_every_now_and_then_and_mends_what_the_node_did_not_take_along(
    make_world: MakeWorld, cluster: LosesItsNode
) -> None:
    world = await make_world(cluster=cluster, skipping=True)
    cluster.broken_besides = True
    await world.alert()
    await world.until(lambda s: looks_at_the_node(s) >= 2, within=60)
    cluster.lost = False
    asked = await world.until(lambda s: s.status is Status.AWAITING_APPROVAL, within=60)
    assert asked.plan is not None
    assert [step.action.target for step in asked.plan.steps] == [a_ref(name="web")]
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    closed = await world.until(lambda s: s.status is Status.CLOSED, within=60)
    assert closed.outcome is Outcome.REMEDIATED, closed.closing
    assert cluster.changes == [f"{asked.plan.hash}#1"]


async def test_a_node_that_stays_lost_is_left_to_a_person(make_world: MakeWorld) -> None:
    world = await make_world(cluster=LosesItsNode(), skipping=True)
    await world.alert()
    closed = await world.until(lambda s: s.status is Status.CLOSED, within=120)
    assert closed.outcome is Outcome.ESCALATED
    assert NODE.incident_id in closed.closing
    looks = [entry.at for entry in closed.timeline if entry.event == "node.waiting"]
    assert len(looks) == 8
    assert closed.closed_at is not None
    assert timedelta(hours=1, minutes=50) < closed.closed_at - looks[0] < timedelta(hours=2, minutes=30)


async def test_a_node_that_is_back_takes_no_alert_though_its_own_fires_on(world: World, cluster: LosesItsNode) -> None:
    await world.alert(target=NODE)
    assert (await node_closed(world)).outcome is Outcome.ESCALATED
    cluster.lost = False
    cluster.broken_besides = True
    await world.alert(target=LABELLED)
    asked = await world.until_there(lambda s: s.status is Status.AWAITING_APPROVAL)
    assert asked.target.incident_id == INCIDENT


async def test_a_closed_incident_looks_at_its_lost_node_again_before_it_takes_an_alert(
    world: World, cluster: LosesItsNode
) -> None:
    await world.alert(target=NODE)
    await node_closed(world)
    looks = len(cluster.looked_at)
    await world.alert(target=LABELLED)
    await world.alert(target=a_target(name="cart", node="node-1"))
    state = await world.until(
        lambda s: s.alerts_received == 3 and any(e.event == "look.taken" for e in s.timeline), incident=NODE.incident_id
    )
    assert state.outcome is Outcome.ESCALATED
    assert cluster.looked_at[looks:] == [str(NODE)], "one look for both, and none at what runs on the node"
    assert {row.id for row in await world.desk.list()} == {NODE.incident_id}


async def test_an_alert_that_is_older_than_the_trouble_of_the_node_is_looked_into_for_itself(
    make_world: MakeWorld,
) -> None:
    cluster = LosesItsNode()
    cluster.lost_at = NOW
    world = await make_world(cluster=cluster)
    await world.alert(target=NODE)
    await world.alert(target=LABELLED, starts_at=NOW - timedelta(hours=2))
    state = await world.until_there(lambda s: s.alerts_received == 1)
    assert state.target.incident_id == INCIDENT


async def test_an_open_incident_keeps_no_alert_that_its_finding_does_not_explain(make_world: MakeWorld) -> None:
    """It asks about something else than a lost node, for days if need be."""
    world = await make_world()
    await world.alert(target=NODE)
    await world.until(lambda s: s.status is Status.AWAITING_APPROVAL, incident=NODE.incident_id)
    cart = a_target(name="cart", node="node-1")
    await world.alert(target=cart)
    opened = await world.until_there(lambda s: s.alerts_received == 1, incident=cart.incident_id)
    assert opened.target.name == "cart"


@pytest.mark.safety
async def test_alerts_that_could_not_be_handed_on_stay_with_the_node_until_they_can(
    world: World, cluster: LosesItsNode
) -> None:
    cluster.lost = False
    submit, failed = world.desk.submit, asyncio.Event()

    async def fails_once_for_good(
        target: Target, alerts: tuple[Alert, ...], *, alone: bool = False, left_out: int = 0
    ) -> IncidentReceipt | None:
        if alone and target.name == "cart" and not failed.is_set():
            failed.set()
            raise OtherClusterError("nobody retries this")
        return await submit(target, alerts, alone=alone, left_out=left_out)

    world.desk.submit = fails_once_for_good  # type: ignore[method-assign]
    cart = a_target(name="cart", node="node-1")
    await world.desk.submit(NODE, tuple(an_alert(target=target) for target in (NODE, LABELLED, cart)))
    await failed.wait()
    await world.until_there(lambda s: s.status is Status.CLOSED)
    await world.alert(target=NODE, status="resolved")
    await world.client.get_workflow_handle(NODE.incident_id).result()
    await world.until_there(lambda s: s.status is Status.CLOSED, incident=cart.incident_id)


async def test_people_hear_of_an_alert_that_no_incident_takes(world: World, cluster: LosesItsNode) -> None:
    cluster.lost = False
    submit = world.desk.submit

    async def refuses(
        target: Target, alerts: tuple[Alert, ...], *, alone: bool = False, left_out: int = 0
    ) -> IncidentReceipt | None:
        if target == LABELLED:
            raise BadPayloadError("the id is too long")
        return await submit(target, alerts, alone=alone, left_out=left_out)

    world.desk.submit = refuses  # type: ignore[method-assign]
    cart = a_target(name="cart", node="node-1")
    await world.desk.submit(NODE, tuple(an_alert(target=target) for target in (NODE, LABELLED, cart)))
    await world.until_there(lambda s: s.status is Status.CLOSED, incident=cart.incident_id)
    while not any("the id is too long" in call.text for call in world.chat.calls):
        await world.desk.get(NODE.incident_id)


async def test_a_second_loss_of_the_node_is_a_new_run_with_what_it_breaks(world: World) -> None:
    await world.alert(target=NODE)
    first = await node_closed(world)
    await world.alert(target=NODE, starts_at=NOW + timedelta(hours=1))
    again = await world.until(lambda s: s.run_id != first.run_id, incident=NODE.incident_id)
    await world.alert(target=LABELLED, starts_at=NOW + timedelta(hours=1))
    state = await world.until(lambda s: s.alerts_received == 2, incident=NODE.incident_id)
    assert state.run_id == again.run_id


async def test_a_person_is_called_for_alerts_that_nobody_takes_once_the_node_is_over(
    make_world: MakeWorld, cluster: LosesItsNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guests, "GRACE", timedelta(milliseconds=200))
    world = await make_world(cluster=cluster)
    submit = world.desk.submit

    async def refuses(
        target: Target, alerts: tuple[Alert, ...], *, alone: bool = False, left_out: int = 0
    ) -> IncidentReceipt | None:
        if alone:
            raise AlertsRejectedError("its id is too long")
        return await submit(target, alerts, left_out=left_out)

    monkeypatch.setattr(world.desk, "submit", refuses)
    await world.alert(target=NODE)
    await world.alert(target=LABELLED)
    await node_closed(world)
    await world.until(lambda s: s.alerts_received == 2, incident=NODE.incident_id)
    cluster.lost = False
    await world.alert(target=NODE, status="resolved")
    await world.client.get_workflow_handle(NODE.incident_id).result()
    assert "its id is too long" in world.chat.calls[-1].text
