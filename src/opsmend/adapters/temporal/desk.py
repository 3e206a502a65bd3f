"""The front desk: alerts, decisions and questions about incidents, through Temporal."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from temporalio.client import Client, WorkflowExecution, WorkflowHandle, WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from opsmend import errors
from opsmend.adapters.temporal.recently_open import RecentlyOpen
from opsmend.agents.queues import WORKFLOWS
from opsmend.domain.alert import Alert, AlertStatus
from opsmend.domain.approval import DecisionRecorded, DecisionRequest
from opsmend.domain.budget import Budget
from opsmend.domain.incident import AlertsReceived, IncidentOpened, IncidentState, Outcome, Patience, Status
from opsmend.domain.ports.desk import IncidentReceipt, IncidentRow
from opsmend.domain.target import Target
from opsmend.errors import (
    AlreadyDecidedError,
    IncidentNotFoundError,
    NothingToDecideError,
    OpsmendError,
    TemporalUnavailableError,
    bounded,
)
from opsmend.workflows import search_attributes
from opsmend.workflows.incident import IncidentWorkflow

_DECISION_ERRORS: Final[Mapping[str, type[OpsmendError]]] = MappingProxyType(
    {
        cls.__name__: cls
        for cls in (
            errors.PlanHashStaleError,
            AlreadyDecidedError,
            NothingToDecideError,
            errors.PolicyRefusedError,
        )
    }
)
_MOST_ROWS: Final = 200
_WORKFLOW_TYPE: Final = "Incident"
_NO_SUCH_RUN: Final = (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT)


class TemporalDesk:
    """Implements IncidentDesk. `patience` and `budget` are the terms that new incidents begin with."""

    def __init__(self, client: Client, *, ui_url: str, patience: Patience, budget: Budget, rpc_timeout: timedelta) -> None:
        self._client = client
        self._ui_url = ui_url.rstrip("/")
        self._patience = patience
        self._budget = budget
        self._timeout = rpc_timeout
        self._open = RecentlyOpen()

    async def submit(self, target: Target, alerts: tuple[Alert, ...], *, alone: bool = False) -> IncidentReceipt | None:
        received = AlertsReceived(alerts=alerts)
        below = None if alone else target.below
        if all(alert.status is AlertStatus.RESOLVED for alert in alerts):
            told_node = await self._signal_if_open(below, received) if below else None
            return await self._signal(target, received) or told_node
        # Most alerts join an open incident. A bare signal costs Temporal and us about a quarter less than a signal-with-start;
        # it is refused when the incident has closed meanwhile, and then the alerts open the next one as any others would.
        joined = await self._signal_if_open(target, received)
        if joined is None and below is not None:
            joined = await self._signal_if_open(below, received)
        return joined or await self._open_or_join(target, received)

    async def group_under(self, node: Target, alerts: tuple[Alert, ...]) -> None:
        await self._open_or_join(node, AlertsReceived(alerts=alerts, watched=True))

    async def _signal_if_open(self, target: Target, received: AlertsReceived) -> IncidentReceipt | None:
        """Nothing is sent where no incident is known to be open. Another process may know of one that this one does not."""
        return await self._signal(target, received) if target.incident_id in self._open else None

    async def _open_or_join(self, target: Target, received: AlertsReceived) -> IncidentReceipt:
        first = next(alert for alert in received.alerts if alert.status is AlertStatus.FIRING)
        try:
            handle = await self._client.start_workflow(
                IncidentWorkflow.run,
                IncidentOpened(target=target, patience=self._patience, budget=self._budget),
                id=target.incident_id,
                task_queue=WORKFLOWS,
                start_signal="alerts_received",
                start_signal_args=[received],
                static_summary=bounded(f"{first.severity}: {first.name} on {target}", 180),
                rpc_timeout=self._timeout,
            )
        except RPCError as e:
            raise TemporalUnavailableError(f"Temporal did not take the alerts of {target}: {bounded(str(e))}") from e
        self._open.add(target.incident_id)
        return IncidentReceipt(id=target.incident_id, created=_started(handle))

    async def _signal(self, target: Target, received: AlertsReceived) -> IncidentReceipt | None:
        handle = self._client.get_workflow_handle(target.incident_id)
        try:
            await handle.signal(IncidentWorkflow.alerts_received, received, rpc_timeout=self._timeout)
        except RPCError as e:
            if e.status is RPCStatusCode.NOT_FOUND:
                self._open.discard(target.incident_id)
                return None
            raise TemporalUnavailableError(f"Temporal did not take the alerts of {target}: {bounded(str(e))}") from e
        return IncidentReceipt(id=target.incident_id, created=False)

    async def decide(self, incident_id: str, request: DecisionRequest) -> DecisionRecorded:
        handle = self._client.get_workflow_handle(incident_id)
        try:
            return await handle.execute_update(IncidentWorkflow.decide, request, rpc_timeout=timedelta(seconds=30))
        except WorkflowUpdateFailedError as e:
            if not await self._is_incident(handle):
                raise IncidentNotFoundError(f"there is no incident {bounded(incident_id, 200)}") from e
            raise _decision_error(e) from e
        except RPCError as e:
            if e.status is not RPCStatusCode.NOT_FOUND:
                raise TemporalUnavailableError(f"Temporal did not take the decision: {bounded(str(e))}") from e
            state = await self.get(incident_id)
            if state.approval is not None:
                raise AlreadyDecidedError(f"{state.approval.by} already decided: {state.approval.decision}") from e
            raise NothingToDecideError(f"no plan waits for an answer; the incident is {state.status}") from e

    async def get(self, incident_id: str, run_id: str | None = None) -> IncidentState:
        handle = self._client.get_workflow_handle(incident_id, run_id=run_id)
        try:
            return await handle.query(IncidentWorkflow.state, rpc_timeout=timedelta(seconds=20))
        except WorkflowQueryFailedError as e:
            # The server says 'invalid argument' both to a query that failed and to a run id that can be none.
            if not await self._is_incident(handle):
                raise IncidentNotFoundError(f"there is no incident {bounded(incident_id, 200)} with such a run") from e
            raise TemporalUnavailableError(f"the incident could not be asked for its state: {bounded(str(e))}") from e
        except RPCError as e:
            if e.status in _NO_SUCH_RUN:
                raise IncidentNotFoundError(f"there is no incident {bounded(incident_id, 200)}") from e
            raise TemporalUnavailableError(
                f"the incident did not answer (does a workflow worker run?): {bounded(str(e))}"
            ) from e

    async def _is_incident(self, handle: WorkflowHandle[Any, Any]) -> bool:
        """Whether that run exists and is an incident, not an agent's part of one or a lock."""
        try:
            return (await handle.describe(rpc_timeout=self._timeout)).workflow_type == _WORKFLOW_TYPE
        except RPCError as e:
            if e.status in _NO_SUCH_RUN:
                return False
            raise TemporalUnavailableError(f"Temporal did not tell of the incident: {bounded(str(e))}") from e

    async def list(self, status: Status | None = None, outcome: Outcome | None = None) -> tuple[IncidentRow, ...]:
        query = f'WorkflowType = "{_WORKFLOW_TYPE}"'
        query += f' AND OpsmendStatus = "{status.value}"' if status else ""
        query += f' AND OpsmendOutcome = "{outcome.value}"' if outcome else ""
        try:
            return tuple(
                [_row(found) async for found in self._client.list_workflows(query, limit=_MOST_ROWS, rpc_timeout=self._timeout)]
            )
        except RPCError as e:
            raise TemporalUnavailableError(f"Temporal did not list incidents: {bounded(str(e))}") from e

    def ui_link(self, incident_id: str, run_id: str) -> str:
        workflow = quote(incident_id, safe="")
        return f"{self._ui_url}/namespaces/{self._client.namespace}/workflows/{workflow}/{run_id}/history"


def _started(handle: WorkflowHandle[Any, Any]) -> bool:
    """Whether the call started the workflow. The SDK (pinned below 1.36) keeps the server's answer but has no public name
    for it; asking the server a second time would cost every webhook another call."""
    response = handle._start_workflow_response
    return response is not None and response.started


def _decision_error(failure: WorkflowUpdateFailedError) -> OpsmendError:
    cause: BaseException | None = failure.cause
    while cause is not None and not (isinstance(cause, ApplicationError) and cause.type in _DECISION_ERRORS):
        cause = cause.__cause__
    if isinstance(cause, ApplicationError) and cause.type:
        return _DECISION_ERRORS[cause.type](cause.message)
    return TemporalUnavailableError(f"the incident could not take the decision: {bounded(str(failure.cause))}")


def _row(found: WorkflowExecution) -> IncidentRow:
    attributes = found.typed_search_attributes
    status = attributes.get(search_attributes.STATUS)
    outcome = attributes.get(search_attributes.OUTCOME)
    return IncidentRow(
        id=found.id,
        run_id=found.run_id,
        status=Status(status) if status else Status.INVESTIGATING,
        outcome=Outcome(outcome) if outcome else None,
        opened_at=found.start_time.isoformat(),
        summary=attributes.get(search_attributes.TARGET) or "",
    )
