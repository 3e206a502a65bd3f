"""A cause that is over tells all who wait for it, those as well that come while it does."""

import asyncio

from temporalio.service import RPCError

from opsmend.adapters.temporal.shared_causes import TemporalSharedCauses
from opsmend.agents.queues import WORKFLOWS
from opsmend.domain.alert import Severity
from opsmend.domain.shared_cause import CauseJoined, CauseKind, KnownCause, SharedCause
from opsmend.workflows.shared_cause import CAUSE, SharedCauseWorkflow
from tests.builders import NOW, a_target
from tests.workflows.conftest import World

REGISTRY = SharedCause(kind=CauseKind.REGISTRY, name="registry.example")


def joins(name: str) -> CauseJoined:
    return CauseJoined(incident_id=a_target(name=name).incident_id, severity=Severity.WARNING)


async def test_who_joins_while_the_others_are_told_is_told_as_well(world: World) -> None:
    waiting = tuple(joins(f"web-{number}") for number in range(30))
    holder, severity = a_target(name="first").incident_id, Severity.WARNING
    known = KnownCause(cause=REGISTRY, cluster="demo", holder=holder, since=NOW, severity=severity, members=waiting)
    cause = await world.client.start_workflow(
        SharedCauseWorkflow.run, known, id=REGISTRY.workflow_id("demo"), task_queue=WORKFLOWS
    )
    await cause.signal(SharedCauseWorkflow.release)
    late = []
    for number in range(40):
        try:
            await cause.signal(SharedCauseWorkflow.join, joins(f"late-{number}"))
        except RPCError:  # it has ended
            break
        late.append(joins(f"late-{number}").incident_id)
    async with asyncio.timeout(30):
        await cause.result()
    events = (await cause.fetch_history()).events
    told = [event.signal_external_workflow_execution_initiated_event_attributes.workflow_execution for event in events]
    assert late
    assert {*late, *(member.incident_id for member in waiting)} <= {execution.workflow_id for execution in told}


async def test_a_cause_that_this_version_cannot_read_stops_no_investigation(world: World) -> None:
    """A newer version's kind of cause, or one that somebody started by hand."""
    holder = a_target(name="first").incident_id
    known = KnownCause(cause=REGISTRY, cluster="demo", holder=holder, since=NOW, severity=Severity.WARNING)
    newer = known.model_dump(mode="json") | {"cause": {"kind": "proxy", "name": "proxy.example"}}
    for name, memo in (("by-hand", {}), ("newer", {CAUSE: newer}), ("ours", {CAUSE: known.model_dump(mode="json")})):
        await world.client.start_workflow(
            SharedCauseWorkflow.run, known, id=f"cause:demo:{name}", task_queue=WORKFLOWS, memo=memo
        )
    listed = 0
    async with asyncio.timeout(20):
        while listed < 3:
            listed = (await world.client.count_workflows('WorkflowType = "SharedCause"')).count
    assert await TemporalSharedCauses(world.client).known("demo") == (known,)
