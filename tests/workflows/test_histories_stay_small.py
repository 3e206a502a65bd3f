"""However much an incident has to tell, its history keeps the large parts by reference."""

import base64
from collections.abc import Iterator
from typing import Any

from opsmend.domain.incident import Outcome
from opsmend.domain.ports.artifacts import INLINE_AT_MOST
from tests.builders import a_decision_request
from tests.workflows.conftest import INCIDENT, MakeWorld, World

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


async def payload_sizes(world: World) -> Any:
    """Of all payloads in the histories of the incident and its agents' runs."""
    async for execution in world.client.list_workflows():
        history = await world.client.get_workflow_handle(execution.id, run_id=execution.run_id).fetch_history()
        for event in history.to_json_dict()["events"]:
            for size in _sizes(event):
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
