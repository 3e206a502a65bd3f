"""What opsmend says that it asked: the ledgers of its incidents, and of its looks at watched namespaces."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

from temporalio.api.common.v1 import Payload
from temporalio.client import Client

from opsmend.adapters.kubernetes.rbac import EXECUTOR, HOME
from opsmend.domain.call_ledger import ApiCall, CallLedger
from opsmend.domain.last_good import LastGoodKept
from opsmend.workflows.agent_runs import calls_in
from tests.drills.opsmend import Opsmend

Json = dict[str, Any]

_LOOK: Final = "last_good.keep"


class Asked(NamedTuple):
    """One kind of request, and who made it."""

    agent: str
    account: str
    call: ApiCall


Claims = dict[str, Counter[Asked]]
"""Work (an incident, or another workflow) → how often what."""


async def claims(opsmend: Opsmend) -> Claims:
    """Of all incidents, all their runs, and all looks so far."""
    found: Claims = {}
    # Asked of Temporal, for the API tells the newest 200 alone.
    async for run in opsmend.temporal.list_workflows('WorkflowType="Incident"'):
        incident = await opsmend.run_of(run.id, run.run_id)
        mine = found.setdefault(run.id, Counter())
        for agent, ledger in incident["ledger"].items():
            mine += _counted(agent, CallLedger.model_validate(ledger))
    async for run in opsmend.temporal.list_workflows('WorkflowType="KeepLastGood"'):
        found[run.id] = await _looks(opsmend.temporal, run.id, run.run_id)
    return found


def account_of(agent: str, call: ApiCall) -> str:
    """Whose rights a call must be made with: changes are made by the executor where the object is, all else by the agent."""
    if call.verb != "patch":
        return f"{HOME}/opsmend-{agent}"
    return f"{call.namespace}/{EXECUTOR}" if call.namespace else f"{HOME}/{EXECUTOR}-nodes"


def _counted(agent: str, ledger: CallLedger) -> Counter[Asked]:
    found: Counter[Asked] = Counter()
    for entry in ledger.counted:
        call = ApiCall(**entry.model_dump(exclude={"times"}))
        found[Asked(agent, account_of(agent, call), call)] += entry.times
    if beyond := ledger.calls - found.total():
        found[Asked(agent, "", ApiCall(verb="", resource="more than a ledger tells apart"))] = beyond
    return found


async def _looks(temporal: Client, workflow_id: str, run_id: str | None) -> Counter[Asked]:
    """A look at a namespace is an activity of its own; its result, or its failure, has its ledger."""
    found: Counter[Asked] = Counter()
    history = await temporal.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
    looks = set()
    for event in history.events:
        if event.activity_task_scheduled_event_attributes.activity_type.name == _LOOK:
            looks.add(event.event_id)
        async for ledger in _ledger_in(temporal, event, looks):
            found += _counted("sre", ledger)
    return found


async def _ledger_in(temporal: Client, event: Any, looks: set[int]) -> AsyncIterator[CallLedger]:
    done = event.activity_task_completed_event_attributes
    if done.scheduled_event_id in looks:
        (kept,) = await temporal.data_converter.decode(list[Payload](done.result.payloads), [LastGoodKept])
        yield kept.calls
    for failed in (event.activity_task_failed_event_attributes, event.activity_task_timed_out_event_attributes):
        if failed.scheduled_event_id in looks:
            yield calls_in(await temporal.data_converter.decode_failure(failed.failure))
