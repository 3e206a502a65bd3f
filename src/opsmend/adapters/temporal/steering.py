"""Steering incidents, through Temporal."""

from datetime import UTC, datetime
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
from opsmend.domain.alert import Alert, AlertStatus, Severity
from opsmend.domain.approval import Person
from opsmend.domain.budget import Budget
from opsmend.domain.incident import Patience
from opsmend.domain.opened import IncidentOpened
from opsmend.domain.ports.desk import IncidentReceipt
from opsmend.domain.steering import Snooze, Steered, Stop, TakeOver, WrongDiagnosis
from opsmend.domain.target import Target
from opsmend.errors import (
    BadPayloadError,
    IncidentClosedError,
    IncidentNotFoundError,
    NothingToDecideError,
    OpsmendError,
    PolicyRefusedError,
    TemporalUnavailableError,
    bounded,
)
from opsmend.workflows.feedback import FeedbackGiven, FeedbackWorkflow, feedback_id
from opsmend.workflows.incident import IncidentWorkflow

_REFUSALS: Final = {
    cls.__name__: cls for cls in (PolicyRefusedError, IncidentClosedError, BadPayloadError, NothingToDecideError)
}

Request = TypeVar("Request")
Result = TypeVar("Result")


class TemporalSteering:
    """Implements IncidentSteering. `patience` and `budget` are the terms of investigations without an alert."""

    def __init__(self, client: Client, cluster: str, patience: Patience, budget: Budget) -> None:
        self._client = client
        self._cluster = cluster
        self._patience = patience
        self._budget = budget

    async def take_over(self, incident_id: str, request: TakeOver) -> Steered:
        return await self._update(incident_id, IncidentWorkflow.take_over, request)

    async def stop(self, incident_id: str, request: Stop) -> Steered:
        return await self._update(incident_id, IncidentWorkflow.stop, request)

    async def snooze(self, incident_id: str, request: Snooze) -> Steered:
        return await self._update(incident_id, IncidentWorkflow.snooze, request)

    async def _update(
        self, incident_id: str, update: UpdateMethodMultiParam[[Any, Request], Result], request: Request
    ) -> Result:
        handle: WorkflowHandle[Any, Any] = self._client.get_workflow_handle(incident_id)
        try:
            return await handle.execute_update(update, request, rpc_timeout=ANSWERED_WITHIN)
        except WorkflowUpdateFailedError as e:
            raise _refusal(e, incident_id) from e
        except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError) as e:
            if isinstance(e, RPCError) and e.status is RPCStatusCode.NOT_FOUND:
                if await self._run_of(incident_id, None):
                    raise IncidentClosedError(f"{incident_id} is closed") from e
                raise IncidentNotFoundError(f"there is no incident {bounded(incident_id, 200)}") from e
            raise _unavailable(e) from e

    async def mark_wrong(self, incident_id: str, run_id: str | None, wrong: WrongDiagnosis) -> Steered:
        run = await self._run_of(incident_id, run_id)
        if run is None:
            raise IncidentNotFoundError(f"there is no incident {bounded(incident_id, 200)} with such a run")
        run = await self._began_in(incident_id, run)
        given = FeedbackGiven(incident_id=incident_id, run_id=run, cluster=self._cluster, wrong=wrong)
        start = WithStartWorkflowOperation(
            FeedbackWorkflow.run,
            given,
            id=feedback_id(incident_id, run),
            task_queue=WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            static_summary=f"The diagnosis of {incident_id} is wrong, says {wrong.by}",
        )
        try:
            await self._client.execute_update_with_start_workflow(
                FeedbackWorkflow.accepted, start_workflow_operation=start, rpc_timeout=ANSWERED_WITHIN
            )
        except WorkflowAlreadyStartedError:
            return Steered(incident_id=incident_id, what="somebody has marked this diagnosis as wrong before")
        except WorkflowUpdateFailedError as e:
            raise _refusal(e, incident_id) from e
        except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError) as e:
            raise _unavailable(e) from e
        return Steered(incident_id=incident_id, what="the diagnosis is marked as wrong, and memory does not recall it")

    async def _began_in(self, incident_id: str, run_id: str) -> str:
        """The run in which the incident of this one began: memory knows it by that, in whichever run it goes on."""
        handle: WorkflowHandle[Any, Any] = self._client.get_workflow_handle(incident_id, run_id=run_id)
        try:
            return (await handle.query(IncidentWorkflow.state, rpc_timeout=ANSWERED_WITHIN)).run_id
        except (RPCError, WorkflowQueryFailedError) as e:
            raise _unavailable(e) from e

    async def is_marked_wrong(self, incident_id: str, run_id: str) -> bool:
        handle: WorkflowHandle[Any, Any] = self._client.get_workflow_handle(feedback_id(incident_id, run_id))
        try:
            status = (await handle.describe(rpc_timeout=ANSWERED_WITHIN)).status
        except RPCError as e:
            if e.status is RPCStatusCode.NOT_FOUND:
                return False
            raise _unavailable(e) from e
        return status in (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED)

    async def investigate(self, target: Target, by: Person) -> IncidentReceipt:
        opened = IncidentOpened(
            target=target, patience=self._patience, budget=self._budget, carried=(_request(target, by),), read_only=True
        )
        incident_id = f"investigation:{target.incident_id.removeprefix('incident:')}"
        try:
            await self._client.start_workflow(
                IncidentWorkflow.run,
                opened,
                id=incident_id,
                task_queue=WORKFLOWS,
                static_summary=f"{by} asked to look into {target}; nothing is changed",
                rpc_timeout=ANSWERED_WITHIN,
            )
        except WorkflowAlreadyStartedError:
            return IncidentReceipt(id=incident_id, created=False)
        except RPCError as e:
            raise _unavailable(e) from e
        return IncidentReceipt(id=incident_id, created=True)

    async def _run_of(self, incident_id: str, run_id: str | None) -> str | None:
        """The id of the run that is named, or of the latest one; None where there is none, or it is of no incident."""
        handle: WorkflowHandle[Any, Any] = self._client.get_workflow_handle(incident_id, run_id=run_id)
        try:
            found = await handle.describe(rpc_timeout=ANSWERED_WITHIN)
        except RPCError as e:
            if e.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
                return None
            raise _unavailable(e) from e
        return found.run_id if found.workflow_type == "Incident" else None


def _request(target: Target, by: Person) -> Alert:
    """What stands in for the alert that is not there."""
    return Alert(
        source="person",
        name="Investigation",
        status=AlertStatus.FIRING,
        severity=Severity.INFO,
        fingerprint=f"investigation of {target}"[:128],
        starts_at=datetime.now(UTC),
        target=target,
        annotations={"summary": f"{by} asked to look into {target}"},
    )


def _refusal(failure: WorkflowUpdateFailedError, incident_id: str) -> OpsmendError:
    unknown = TemporalUnavailableError(f"{incident_id} could not take it: {bounded(str(failure.cause))}")
    return refusal_in(failure, _REFUSALS) or unknown


def _unavailable(failure: Exception) -> TemporalUnavailableError:
    return TemporalUnavailableError(
        f"nobody could take it (does a workflow worker run?): {bounded(str(failure) or type(failure).__name__)}"
    )
