"""Pauses and limits of change, kept by a workflow: one for each cluster, begun by whoever first asks."""

from datetime import timedelta
from typing import Any, Final, TypeVar

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.workflow import UpdateMethodMultiParam

from opsmend.adapters.temporal.updates import ANSWERED_WITHIN, refusal_in
from opsmend.agents.queues import WORKFLOWS
from opsmend.domain.change_control import (
    ChangeControlState,
    ChangeLeave,
    ChangeReservation,
    PauseRequest,
    ReleaseRequest,
    ResumeRequest,
)
from opsmend.errors import (
    ChangeControlLostError,
    ChangeControlUnavailableError,
    NothingToReleaseError,
    PolicyRefusedError,
    bounded,
)
from opsmend.workflows.change_control import ChangeControlOpened, ChangeControlWorkflow, change_control_id

_REFUSALS: Final = {cls.__name__: cls for cls in (PolicyRefusedError, NothingToReleaseError)}

Request = TypeVar("Request")
Result = TypeVar("Result")


class TemporalChangeControl:
    """Implements ChangeControl for one cluster. `patience` is how long an answer may take."""

    def __init__(self, client: Client, cluster: str, patience: timedelta = ANSWERED_WITHIN) -> None:
        self._client = client
        self._cluster = cluster
        self._patience = patience

    async def reserve(self, asked: ChangeReservation) -> ChangeLeave:
        return await self._update(ChangeControlWorkflow.reserve, asked)

    async def state(self) -> ChangeControlState:
        handle: WorkflowHandle[Any, Any] = self._client.get_workflow_handle(change_control_id(self._cluster))
        try:
            status = (await handle.describe(rpc_timeout=self._patience)).status
            state: ChangeControlState = await handle.query(ChangeControlWorkflow.state, rpc_timeout=self._patience)
        except RPCError as e:
            if e.status is RPCStatusCode.NOT_FOUND:
                return ChangeControlState()
            raise _unavailable(e) from e
        except WorkflowQueryFailedError as e:
            raise _unavailable(e) from e
        if status not in (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.CONTINUED_AS_NEW):
            raise self._lost()
        return state

    async def pause(self, request: PauseRequest) -> ChangeControlState:
        return await self._update(ChangeControlWorkflow.pause, request, begins_anew=True)

    async def resume(self, request: ResumeRequest) -> ChangeControlState:
        return await self._update(ChangeControlWorkflow.resume, request, begins_anew=True)

    async def release(self, request: ReleaseRequest) -> ChangeControlState:
        return await self._update(ChangeControlWorkflow.release, request)

    async def _update(
        self, update: UpdateMethodMultiParam[[Any, Request], Result], request: Request, *, begins_anew: bool = False
    ) -> Result:
        """`begins_anew`: also where the workflow was ended, as only a person may take that for 'not paused'."""
        start = WithStartWorkflowOperation(
            ChangeControlWorkflow.run,
            ChangeControlOpened(cluster=self._cluster),
            id=change_control_id(self._cluster),
            task_queue=WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=(WorkflowIDReusePolicy.ALLOW_DUPLICATE if begins_anew else WorkflowIDReusePolicy.REJECT_DUPLICATE),
            static_summary=f"Pauses and limits of change in {self._cluster}",
        )
        try:
            return await self._client.execute_update_with_start_workflow(
                update, request, start_workflow_operation=start, rpc_timeout=self._patience
            )
        except WorkflowAlreadyStartedError as e:
            raise self._lost() from e
        except WorkflowUpdateFailedError as e:
            raise refusal_in(e, _REFUSALS) or _unavailable(e) from e
        except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError) as e:
            raise _unavailable(e) from e

    def _lost(self) -> ChangeControlLostError:
        return ChangeControlLostError(
            f"the workflow {change_control_id(self._cluster)} was ended, so nobody knows whether changes are paused; "
            "`opsmend resume` allows them again"
        )


def _unavailable(failure: Exception) -> ChangeControlUnavailableError:
    return ChangeControlUnavailableError(
        "it could not be read whether changes are paused, so nothing is changed (does a workflow worker run?): "
        f"{bounded(str(failure) or type(failure).__name__)}"
    )
