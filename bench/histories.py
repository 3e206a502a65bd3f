"""What a workflow left in Temporal, its children included."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client


@dataclass(frozen=True)
class Footprint:
    """`payload_bytes` is what all activities were given and returned, as stored."""

    events: int = 0
    bytes: int = 0
    workflow_tasks: int = 0
    activities: int = 0
    payload_bytes: int = 0
    runs: int = 1

    def __add__(self, other: "Footprint") -> "Footprint":
        return Footprint(
            events=self.events + other.events,
            bytes=self.bytes + other.bytes,
            workflow_tasks=self.workflow_tasks + other.workflow_tasks,
            activities=self.activities + other.activities,
            payload_bytes=self.payload_bytes + other.payload_bytes,
            runs=self.runs + other.runs,
        )


async def footprint(client: Client, workflow_id: str, run_id: str | None = None, *, children: bool = True) -> Footprint:
    """Of one run and, with `children`, of all runs below it."""
    history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
    total = footprint_of(history.events)
    if children:
        async for child in _below(client, history.events):
            total += child
    return total


async def _below(client: Client, events: Sequence[HistoryEvent]) -> AsyncIterator[Footprint]:
    for event in events:
        if event.HasField("child_workflow_execution_started_event_attributes"):
            child = event.child_workflow_execution_started_event_attributes.workflow_execution
            yield await footprint(client, child.workflow_id, child.run_id)


def footprint_of(events: Sequence[HistoryEvent]) -> Footprint:
    """Of one history, without children."""
    scheduled = [e.activity_task_scheduled_event_attributes.input for e in events if _is(e, "activity_task_scheduled")]
    completed = [e.activity_task_completed_event_attributes.result for e in events if _is(e, "activity_task_completed")]
    return Footprint(
        events=len(events),
        bytes=_size(events),
        workflow_tasks=sum(_is(e, "workflow_task_completed") for e in events),
        activities=len(scheduled),
        payload_bytes=_size(scheduled) + _size(completed),
    )


def _is(event: HistoryEvent, what: str) -> bool:
    return event.HasField(f"{what}_event_attributes")  # type: ignore[arg-type]  # the stub lists every name as a literal


def _size(messages: Sequence[Message]) -> int:
    return sum(message.ByteSize() for message in messages)
