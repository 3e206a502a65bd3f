"""Room for new messages in chat, kept by one workflow, begun by whoever first asks."""

import asyncio
from datetime import timedelta
from typing import Any, Final

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from opsmend.adapters.temporal.updates import ANSWERED_WITHIN
from opsmend.agents.queues import WORKFLOWS
from opsmend.domain.untold import Untold
from opsmend.errors import TemporalUnavailableError, bounded
from opsmend.workflows.first_messages import FIRST_MESSAGES_ID, FirstMessagesOpened, FirstMessagesWorkflow, RoomAsked

_AT_ONCE: Final = 5
"""Temporal has ten updates of a workflow in flight at most, and two workers may ask."""


class TemporalFirstMessages:
    """Implements FirstMessages. `per_minute` is how many new messages may be posted within any minute."""

    def __init__(self, client: Client, per_minute: int, opened: FirstMessagesOpened | None = None) -> None:
        self._client = client
        self._per_minute = per_minute
        self._opened = opened or FirstMessagesOpened()
        self._asking = asyncio.Semaphore(_AT_ONCE)

    async def room_in(self, incident: Untold) -> timedelta:
        start = WithStartWorkflowOperation(
            FirstMessagesWorkflow.run,
            self._opened,
            id=FIRST_MESSAGES_ID,
            task_queue=WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary="Limits new messages in chat, and tells of those that wait in one digest",
        )
        asked = RoomAsked(incident=incident, per_minute=self._per_minute)
        try:
            async with self._asking:
                given = await self._client.execute_update_with_start_workflow(
                    FirstMessagesWorkflow.ask, asked, start_workflow_operation=start, rpc_timeout=ANSWERED_WITHIN
                )
        except (RPCError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError) as e:
            raise _unavailable(e) from e
        return given.wait

    async def is_told(self, run_id: str) -> None:
        handle: WorkflowHandle[Any, Any] = self._client.get_workflow_handle(FIRST_MESSAGES_ID)
        try:
            await handle.signal(FirstMessagesWorkflow.told, run_id, rpc_timeout=ANSWERED_WITHIN)
        except RPCError as e:
            if e.status is not RPCStatusCode.NOT_FOUND:
                raise _unavailable(e) from e


def _unavailable(failure: Exception) -> TemporalUnavailableError:
    return TemporalUnavailableError(
        "it could not be told whether there is room for a new message in chat (does a workflow worker run?): "
        f"{bounded(str(failure) or type(failure).__name__)}"
    )
