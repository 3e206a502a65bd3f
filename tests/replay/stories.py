"""The paths that a recorded history stands for: each plays one incident in a World to its end."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from temporalio.client import WorkflowFailureError

from opsmend.adapters.temporal.watchdog import start_watchdog
from opsmend.agents.queues import WORKFLOWS
from opsmend.domain.approval import Answer
from opsmend.domain.change_control import PauseRequest, ResumeRequest
from opsmend.domain.incident import Status
from opsmend.domain.maintenance import Maintenance
from opsmend.domain.shared_cause import CauseKind
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.steering import Snooze, Stop, TakeOver, WrongDiagnosis
from opsmend.domain.target import Kind, Target
from opsmend.errors import ClusterForbiddenError
from opsmend.workflows.keep_last_good import KeepLastGood, KeepLastGoodRequest
from opsmend.workflows.phases.guests import FRESH
from opsmend.workflows.watchdog import WatchdogRequest
from tests.builders import NOW, a_decision_request, a_person, a_ref, a_target, an_alert
from tests.workflows.conftest import GIVES_UP_SOON, INCIDENT, QUICK, World
from tests.workflows.fakes import CannotBeUndone, LosesItsNode, MakesTheChangeAndNeverTells, SeenInTheWrongMoment
from tests.workflows.shared_causes import TARGETS, SharesACause, grouped, the_registry_is_away, until_known

MIA: Final = a_person(via="http", id="operator", name="mia")

Story = Callable[[World], Awaitable[object]]


async def remediated(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await world.until_closed()
    await world.client.get_workflow_handle(INCIDENT).result()


async def approved_by_signal(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    handle = world.client.get_workflow_handle(INCIDENT)
    await handle.signal("decide_by_signal", a_decision_request(asked.plan))
    await handle.result()


async def rejected_then_a_new_outbreak(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan, Answer.REJECT))
    closed = await world.until_closed()
    await world.alert()
    await world.alert(starts_at=NOW + timedelta(hours=1))
    await world.until(lambda s: s.run_id != closed.run_id and s.status == "awaiting_approval")
    await world.alert(starts_at=NOW + timedelta(hours=1), status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()


async def resolved_by_itself(world: World) -> None:
    await world.alert()
    await world.until_asked()
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()


async def resolved_while_looking(world: World) -> None:
    look, looking, resolved = world.cluster.snapshot, asyncio.Event(), asyncio.Event()

    async def slowly(target: Target) -> Snapshot:
        looking.set()
        await resolved.wait()
        return await look(target)

    world.cluster.snapshot = slowly  # type: ignore[method-assign]
    await world.alert()
    await looking.wait()
    await world.alert(status="resolved")
    await world.until(lambda s: s.alerts[0].status == "resolved")
    resolved.set()
    await world.client.get_workflow_handle(INCIDENT).result()


async def an_agent_gave_up(world: World) -> None:
    async def forbidden(target: Target) -> Snapshot:
        raise ClusterForbiddenError("no right to look")

    world.cluster.snapshot = forbidden  # type: ignore[method-assign]
    await world.alert()
    await world.until_closed()
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()


async def taken_back(world: World) -> None:
    await world.until_verifying()
    world.cluster.break_by_rollout()
    world.cluster.object["metadata"]["annotations"].clear()
    await world.until_closed()
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()


async def taken_back_as_the_alerts_resolved(world: World) -> None:
    await world.until_verifying()
    await world.alert(status="resolved")
    world.cluster.break_by_rollout()
    world.cluster.object["metadata"]["annotations"].clear()
    await world.client.get_workflow_handle(INCIDENT).result()


async def undone(world: World) -> None:
    world.metrics.firing = True
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await world.until_closed()
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()


async def stale_and_planned_again(world: World) -> None:
    await world.alert()
    first = await world.until_asked()
    world.cluster.edit()
    await world.desk.decide(INCIDENT, a_decision_request(first.plan))
    second = await world.until(lambda s: s.status == "awaiting_approval" and s.plan != first.plan)
    await world.desk.decide(INCIDENT, a_decision_request(second.plan))
    await world.client.get_workflow_handle(INCIDENT).result()


async def healthy(world: World) -> None:
    world.cluster.bad = "nothing is bad"
    await world.alert()
    await world.until_closed()
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()


async def expired(world: World) -> None:
    await world.alert()
    await world.until_closed()
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()


async def good_configuration_kept(world: World) -> None:
    """A look of the schedule, at a namespace that may not be read and at one that may; then a fix, and a look after it."""
    world.namespaces.forbidden = {"pay"}
    watched = KeepLastGoodRequest(cluster="demo", namespaces=("kube-system", "pay", "shop"))
    await world.client.execute_workflow(KeepLastGood.run, watched, id="opsmend-last-good", task_queue=WORKFLOWS)
    await remediated(world)


def a_window() -> Maintenance:
    """Ends at once, but the shortest wait is a minute."""
    until = datetime.now(UTC) + timedelta(seconds=2)
    return Maintenance(declared_on=a_ref("Namespace", "shop"), until_text=until.isoformat(), until=until)


async def resolved_during_maintenance(world: World) -> None:
    world.cluster.windows = [a_window()]
    await world.alert()
    await world.until(lambda s: any(entry.event == "maintenance.waiting" for entry in s.timeline))
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()


async def mended_after_maintenance(world: World) -> None:
    world.cluster.windows = [a_window()]
    await world.alert()
    asked = await world.until(lambda s: s.status is Status.AWAITING_APPROVAL, within=90)
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await world.client.get_workflow_handle(INCIDENT).result()


async def looked_at_again_while_it_moved(world: World) -> None:
    await world.alert()
    asked = await world.until(lambda s: s.status is Status.AWAITING_APPROVAL, within=60)
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await world.client.get_workflow_handle(INCIDENT).result()


async def waited_in_line(world: World) -> None:
    """Two alerts with one cause: the second incident waits for the answer to the first, which is no, and then asks itself."""
    service = a_target(Kind.SERVICE)
    await world.alert()
    asked = await world.until_asked()
    await world.alert(target=service)
    await world.until(lambda s: any(e.event == "question.waiting" for e in s.timeline), incident=service.incident_id)
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan, Answer.REJECT))
    second = await world.until(lambda s: s.status is Status.AWAITING_APPROVAL, incident=service.incident_id)
    await world.desk.decide(service.incident_id, a_decision_request(second.plan))
    await world.client.get_workflow_handle(service.incident_id).result()
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()


async def grouped_under_a_lost_node(world: World) -> None:
    """One alert came before that of the node, one after it and one that names no node; one fires on when the node is back."""
    assert isinstance(world.cluster, LosesItsNode)
    world.cluster.broken_besides = True
    node, web, cart = a_target(Kind.NODE, "node-1", ""), a_target(node="node-1"), a_target(name="cart", node="node-1")
    before = a_target(name="before")
    await world.alert(target=before)
    await world.until(lambda s: any(e.event == "node.waiting" for e in s.timeline), incident=before.incident_id)
    await world.alert(target=node)
    await world.alert(target=web)
    await world.alert(target=cart)
    await world.until(lambda s: s.status is Status.CLOSED, incident=node.incident_id)
    world.cluster.lost = False
    for target in (cart, before, node):
        await world.alert(target=target, status="resolved")
    await world.client.get_workflow_handle(before.incident_id).result()
    await world.client.get_workflow_handle(node.incident_id).result()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await world.client.get_workflow_handle(INCIDENT).result()


async def went_on_in_new_runs(world: World) -> None:
    """While it asks, and again after its end."""
    await world.alert()
    asked = await world.until_asked()
    await _resent_until_it_goes_on(world)
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan, Answer.REJECT))
    await world.until_closed()
    await _resent_until_it_goes_on(world)
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()


async def _resent_until_it_goes_on(world: World) -> None:
    before = (await world.state()).now_in
    while (await world.state()).now_in == before:
        await world.alert()


async def next_outbreak_while_memory_was_away(world: World) -> None:
    world.memory.down = True
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan, Answer.REJECT))
    closed = await world.until_closed()
    await world.alert(starts_at=NOW + timedelta(hours=1))
    await world.until(lambda s: s.run_id != closed.run_id and s.status is Status.AWAITING_APPROVAL)
    world.memory.down = False
    await world.client.get_workflow_handle(f"{INCIDENT}:aftermath:{closed.run_id}").result()
    await world.alert(starts_at=NOW + timedelta(hours=1), status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()


async def cancelled_while_asking(world: World) -> None:
    await world.alert()
    await world.until_asked()
    await _cancelled(world)


async def cancelled_while_verifying(world: World) -> None:
    await world.until_verifying()
    await _cancelled(world)


async def cancelled_before_chat_heard_of_an_undo_that_failed(world: World) -> None:
    world.chat.down = True
    await world.until_verifying()
    closed = await world.until_closed()
    await _cancelled(world)
    world.chat.down = False
    await world.client.get_workflow_handle(f"{INCIDENT}:aftermath:{closed.run_id}").result()


async def _cancelled(world: World) -> None:
    handle = world.client.get_workflow_handle(INCIDENT)
    await handle.cancel()
    with suppress(WorkflowFailureError):
        await handle.result()


async def an_execution_was_ended_by_hand(world: World) -> None:
    assert isinstance(world.cluster, MakesTheChangeAndNeverTells)
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await world.cluster.made.wait()
    await world.client.get_workflow_handle(f"{INCIDENT}:deployment:1").terminate()
    await world.until(lambda s: s.status is Status.CLOSED, within=60)
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()


async def a_closed_incident_of_a_node_looks_again(world: World) -> None:
    """A guest comes while the node is lost, and one when it is back though its own alert fires on: both are handed on then."""
    assert isinstance(world.cluster, LosesItsNode)
    node, web, cart = a_target(Kind.NODE, "node-1", ""), a_target(node="node-1"), a_target(name="cart", node="node-1")
    await world.alert(target=node)
    await world.until(lambda s: s.status is Status.CLOSED, incident=node.incident_id)
    await world.alert(target=web)
    await world.until(lambda s: any(e.event == "look.taken" for e in s.timeline), incident=node.incident_id)
    world.cluster.lost = False
    await asyncio.sleep(FRESH.total_seconds())
    await world.alert(target=cart)
    for target in (web, cart):
        await world.until_there(lambda s: s.status is Status.CLOSED, incident=target.incident_id, within=60)
        await world.alert(target=target, status="resolved")
    await world.alert(target=node, status="resolved")
    await world.client.get_workflow_handle(node.incident_id).result()


async def looked_at_again_after_the_end(world: World) -> None:
    bad, world.cluster.bad = world.cluster.bad, "nothing is bad"
    await world.alert()
    closed = await world.until_closed()
    await world.until(lambda s: any(e.event == "look.taken" for e in s.timeline))
    world.cluster.bad = bad
    await world.until(lambda s: s.run_id != closed.run_id and s.status is Status.AWAITING_APPROVAL)
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()


async def watched_from_outside(world: World) -> None:
    """The incident stands still, people are told, and somebody ends it."""
    await start_watchdog(world.client, timedelta(seconds=5), WatchdogRequest(every=timedelta(seconds=2)))
    await world.alert()
    await world.until_asked()
    unreadable = an_alert(fingerprint="another").model_dump(mode="json") | {"severity": "page"}
    handle = world.client.get_workflow_handle(INCIDENT)
    await handle.signal("alerts_received", {"alerts": [unreadable]})
    for number in (1, 2):
        while len(world.chat.alarms) < number:
            await handle.describe()
        if number == 1:
            await handle.terminate()


async def taken_over_and_marked_wrong(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    await world.steering.snooze(INCIDENT, Snooze(by=MIA, until=datetime.now(UTC) + timedelta(hours=1)))
    await world.steering.take_over(INCIDENT, TakeOver(by=MIA, reason="I know this one"))
    await world.until_closed()
    await world.steering.mark_wrong(INCIDENT, asked.run_id, WrongDiagnosis(by=MIA))
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()


async def stopped_while_verifying(world: World) -> None:
    await world.until_verifying()
    await world.steering.stop(INCIDENT, Stop(by=MIA))
    await world.until_closed()
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()


async def looked_into_on_request(world: World) -> None:
    begun = await world.steering.investigate(a_target(), MIA)
    await world.client.get_workflow_handle(begun.id).result()


async def refused_while_changes_were_paused(world: World) -> None:
    await world.control.pause(PauseRequest(by=MIA))
    await world.alert()
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await world.until_closed()
    await world.control.resume(ResumeRequest(by=MIA))
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()


async def paged_where_chat_has_no_channel(world: World) -> None:
    world.chat.has_channel = False
    await world.alert()
    asked = await world.until(lambda s: any(e.event == "pager.triggered" for e in s.timeline))
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await world.until_closed()
    await world.alert(status="resolved")
    await world.client.get_workflow_handle(INCIDENT).result()


IMPATIENT: Final = QUICK.model_copy(
    update={
        "remind_after": timedelta(milliseconds=100),
        "escalate_after": timedelta(milliseconds=200),
        "expire_after": timedelta(milliseconds=300),
    }
)


async def waited_for_the_incident_that_sees_to_the_cause(world: World) -> None:
    """One of three sees to the registry. One that waits for it resolves before its end, and one after it."""
    holder, early, late = TARGETS[:3]
    await world.alert(target=holder)
    await world.until(lambda s: s.status is Status.CLOSED, incident=holder.incident_id)
    await until_known(world, CauseKind.REGISTRY)
    for member in (early, late):
        await world.alert(target=member)
        await world.until(grouped, incident=member.incident_id)
    await world.until(lambda s: any(e.event == "cause.shared" for e in s.timeline), incident=holder.incident_id)
    for target in (early, holder, late):
        await world.alert(target=target, status="resolved")
        await world.client.get_workflow_handle(target.incident_id).result()


TERMS: Final[dict[Story, dict[str, Any]]] = {
    approved_by_signal: {"policies": ("answers-by-signal.cedar",)},
    undone: {"patience": GIVES_UP_SOON},
    cancelled_before_chat_heard_of_an_undo_that_failed: {"patience": GIVES_UP_SOON, "cluster": CannotBeUndone()},
    expired: {"patience": IMPATIENT},
    good_configuration_kept: {"watched": ("pay", "shop")},
    grouped_under_a_lost_node: {"cluster": LosesItsNode()},
    looked_at_again_while_it_moved: {"cluster": SeenInTheWrongMoment(1)},
    went_on_in_new_runs: {"longest_history": 140},
    an_execution_was_ended_by_hand: {"cluster": MakesTheChangeAndNeverTells()},
    a_closed_incident_of_a_node_looks_again: {"cluster": LosesItsNode()},
    waited_for_the_incident_that_sees_to_the_cause: {"cluster": SharesACause(the_registry_is_away)},
    looked_at_again_after_the_end: {"patience": QUICK.model_copy(update={"look_again_after": timedelta(seconds=1)})},
}

STORIES: Final[dict[str, tuple[Story, dict[str, Any]]]] = {
    story.__name__: (story, TERMS.get(story, {}))
    for story in (
        remediated,
        approved_by_signal,
        rejected_then_a_new_outbreak,
        resolved_by_itself,
        resolved_while_looking,
        an_agent_gave_up,
        taken_back,
        taken_back_as_the_alerts_resolved,
        undone,
        stale_and_planned_again,
        healthy,
        expired,
        good_configuration_kept,
        resolved_during_maintenance,
        mended_after_maintenance,
        looked_at_again_while_it_moved,
        waited_in_line,
        grouped_under_a_lost_node,
        went_on_in_new_runs,
        next_outbreak_while_memory_was_away,
        cancelled_while_asking,
        cancelled_while_verifying,
        cancelled_before_chat_heard_of_an_undo_that_failed,
        an_execution_was_ended_by_hand,
        a_closed_incident_of_a_node_looks_again,
        looked_at_again_after_the_end,
        watched_from_outside,
        taken_over_and_marked_wrong,
        stopped_while_verifying,
        looked_into_on_request,
        refused_while_changes_were_paused,
        paged_where_chat_has_no_channel,
        waited_for_the_incident_that_sees_to_the_cause,
    )
}
"""Each with what its World is made with, where that is not the default."""
