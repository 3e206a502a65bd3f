"""Temporal's own view of the workflows that run: which do not go on, and which locks nobody holds any more."""

from datetime import UTC, datetime
from typing import Any, Final

from temporalio.api.common.v1 import WorkflowExecution as Execution
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from opsmend.domain.ports.runs import StalledRun
from opsmend.errors import TemporalUnavailableError, bounded
from opsmend.policy.redaction import redact
from opsmend.workflows.target_lock import HOLDER, HOLDERS_CHAIN, TargetLock
from opsmend.workflows.watchdog import OURS

_NEWEST: Final = 20
"""Events from the end of a history: the failure is among the last four, unless a storm of signals came after it."""

_INCIDENTS: Final = 'WorkflowType = "Incident" AND ExecutionStatus = "Running"'
_HELD: Final = 'WorkflowType IN ("TargetLock", "SharedCause") AND ExecutionStatus = "Running"'
"""What stands for something that an incident holds, and is released by a signal of one name."""

_NOT_TOLD: Final = "Temporal's history tells no more"


class TemporalRuns:
    """Implements Runs. Workflows of others may live in the same namespace."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def stalled(self) -> tuple[StalledRun, ...]:
        ours = ", ".join(f'"{name}"' for name in OURS)
        failing = f'WorkflowType IN ({ours}) AND ExecutionStatus = "Running" AND TemporalReportedProblems IS NOT NULL'
        try:
            return tuple([await self._why(run) async for run in self._client.list_workflows(failing)])
        except RPCError as e:
            raise TemporalUnavailableError(f"Temporal did not tell which workflows fail: {bounded(str(e))}") from e

    async def _why(self, run: WorkflowExecution) -> StalledRun:
        request = GetWorkflowExecutionHistoryReverseRequest(
            namespace=self._client.namespace,
            execution=Execution(workflow_id=run.id, run_id=run.run_id),
            maximum_page_size=_NEWEST,
        )
        newest = (await self._client.workflow_service.get_workflow_execution_history_reverse(request)).history.events
        failed = [event for event in newest if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED]
        since = failed[0].event_time.ToDatetime(UTC) if failed else run.start_time
        told = _told(failed[0].workflow_task_failed_event_attributes.failure) if failed else _NOT_TOLD
        return StalledRun(id=run.id, run_id=run.run_id, since=since, why=bounded(redact(told)))

    async def free_locks_of_the_gone(self) -> tuple[str, ...]:
        try:
            running = {run.id: run.start_time async for run in self._client.list_workflows(_INCIDENTS)}
            held = [run async for run in self._client.list_workflows(_HELD)]
            return tuple([run.id for run in held if await self._freed(run, running)])
        except RPCError as e:
            raise TemporalUnavailableError(f"Temporal did not tell who holds which lock: {bounded(str(e))}") from e

    async def _freed(self, lock: WorkflowExecution, running: dict[str, datetime]) -> bool:
        """A holder whose present run was there before the lock is the one that took it. Any other is asked for."""
        memo = await lock.memo()
        holder, chain = memo.get(HOLDER), memo.get(HOLDERS_CHAIN)
        if holder is None or (holder in running and running[holder] <= lock.start_time):
            return False
        if await self._goes_on(holder, chain):
            return False
        try:
            await self._client.get_workflow_handle(lock.id, run_id=lock.run_id).signal(TargetLock.release)
        except RPCError as e:
            if e.status is not RPCStatusCode.NOT_FOUND:
                raise
        return True

    async def _goes_on(self, holder: str, chain: str | None) -> bool:
        try:
            described = await self._client.get_workflow_handle(holder).describe()
        except RPCError as e:
            if e.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        same = described.raw_description.workflow_execution_info.first_run_id == chain
        return same and described.status is WorkflowExecutionStatus.RUNNING


def _told(failure: Failure) -> str:
    """What failed and why, without stack traces."""
    messages: list[str] = []
    here: Any = failure
    while here.message:
        kind = here.application_failure_info.type
        messages.append(f"{kind}: {here.message}" if kind else here.message)
        here = here.cause
    return ", because of ".join(dict.fromkeys(messages)) or _NOT_TOLD
