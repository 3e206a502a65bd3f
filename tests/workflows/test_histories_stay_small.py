"""However much an incident has to tell, its history keeps the large parts by reference."""

import base64
from collections.abc import AsyncIterator, Iterator
from typing import Any, get_type_hints

import pytest

from opsmend.activities.incidents import IncidentActivities
from opsmend.activities.last_good import LastGoodActivities
from opsmend.activities.policy import PolicyActivities
from opsmend.activities.watchdog import WatchdogActivities
from opsmend.adapters.temporal.large_payloads import INLINE_AT_MOST
from opsmend.domain.incident import Outcome, Status
from opsmend.domain.record import Handed
from opsmend.domain.target import Kind
from tests.builders import a_decision_request, a_target
from tests.workflows.conftest import INCIDENT, MakeWorld, World
from tests.workflows.fakes import LosesItsNode

WORDY = {f"annotation-{n}": "the disk of the database is slow again " * 40 for n in range(20)}
"""Some 30 KB, as an alert that carries a whole runbook."""


async def test_large_inputs_and_results_go_by_reference_and_the_incident_ends_as_ever(make_world: MakeWorld) -> None:
    world = await make_world(shared_store=True)
    await world.alert(annotations=WORDY)
    asked = await world.until_asked()
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    closed = await world.until_closed()
    await world.client.get_workflow_handle(INCIDENT).result()

    assert closed.outcome is Outcome.REMEDIATED
    assert closed.alerts[0].annotations == WORDY
    sizes = [size async for size in payload_sizes(world)]
    assert max(sizes) > INLINE_AT_MOST, "the signal that brought the alert is held by Temporal itself"
    assert len([size for size in sizes if size > INLINE_AT_MOST]) == 1


async def test_alerts_that_an_incident_hands_to_another_go_by_reference(make_world: MakeWorld) -> None:
    cluster = LosesItsNode()
    cluster.lost = False
    world = await make_world(shared_store=True, cluster=cluster)
    node, guest = a_target(Kind.NODE, "node-1", ""), a_target(node="node-1")
    await world.alert(target=node, name="NodeDiskSlow")
    await world.alert(target=guest, annotations=WORDY)
    alone = await world.until_there(lambda s: s.status is Status.CLOSED)

    assert alone.alerts[0].annotations == WORDY
    assert max([size async for size in payload_sizes(world, "activityTaskScheduledEventAttributes")]) <= INLINE_AT_MOST


@pytest.mark.parametrize("activities", [IncidentActivities, PolicyActivities, LastGoodActivities, WatchdogActivities])
def test_whatever_is_handed_to_an_activity_outside_of_a_graph_may_go_by_reference(activities: type[Any]) -> None:
    methods = [method for name, method in vars(activities).items() if not name.startswith("_")]
    assert methods
    for method in methods:
        given = next(hint for name, hint in get_type_hints(method).items() if name != "return")
        assert issubclass(given, Handed), f"{method.__qualname__} is given a {given.__name__}"


async def payload_sizes(world: World, within: str = "") -> AsyncIterator[int]:
    """Of all payloads in the histories of incidents and their agents' runs; those `within` attributes of that name only."""
    async for execution in world.client.list_workflows():
        history = await world.client.get_workflow_handle(execution.id, run_id=execution.run_id).fetch_history()
        for event in history.to_json_dict()["events"]:
            for size in _sizes(event.get(within) if within else event):
                yield size


def _sizes(part: Any) -> Iterator[int]:
    if isinstance(part, dict):
        if isinstance(part.get("data"), str) and "metadata" in part:
            yield len(base64.b64decode(part["data"]))
        for value in part.values():
            yield from _sizes(value)
    elif isinstance(part, list):
        for value in part:
            yield from _sizes(value)
