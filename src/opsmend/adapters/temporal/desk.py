"""The front desk: alerts, decisions and questions about incidents, through Temporal."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowHandle,
    WorkflowHistoryEventFilterType,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from opsmend import errors
from opsmend.adapters.temporal.recently_open import RecentlyOpen
from opsmend.adapters.temporal.updates import refusal_in
from opsmend.agents.queues import WORKFLOWS
from opsmend.domain.alert import Alert, AlertStatus
from opsmend.domain.approval import DecisionRecorded, DecisionRequest
from opsmend.domain.budget import Budget
from opsmend.domain.incident import AlertsReceived, IncidentState, Outcome, Patience, Status
from opsmend.domain.opened import IncidentOpened
from opsmend.domain.ports.desk import IncidentPage, IncidentReceipt, IncidentRow
from opsmend.domain.target import Target
from opsmend.errors import (
    AlertsRejectedError,
    AlreadyDecidedError,
    DecisionUnconfirmedError,
    IncidentNotFoundError,
    NothingToDecideError,
    OpsmendError,
    TemporalUnavailableError,
    bounded,
)
from opsmend.workflows import search_attributes
from opsmend.workflows.incident import ALERTS_RECEIVED, IncidentWorkflow
from opsmend.workflows.priority import of_new

_DECISION_ERRORS: Final[Mapping[str, type[OpsmendError]]] = MappingProxyType(
    {
        cls.__name__: cls
        for cls in (
            errors.PlanHashStaleError,
            AlreadyDecidedError,
            NothingToDecideError,
            errors.PolicyRefusedError,
            errors.NewerVersionError,
        )
    }
)
_MOST_ROWS: Final = 200
_WORKFLOW_TYPE: Final = "Incident"
_NO_SUCH_RUN: Final = (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT)

_ANSWERED_WITHIN: Final = timedelta(seconds=8)
"""What people wait for an incident to take their decision. A worker that is there answers in milliseconds, and one that has
just been restarted in two seconds. A sentence has to be there within ten."""

_READS_ITS_HISTORY_WITHIN: Final = timedelta(seconds=30)
"""One task of a workflow. A worker on a busy machine that takes up an incident of ten thousand events needed more than the
usual ten seconds each time, so the incident stood still for good."""

_TOLD_WITHIN: Final = timedelta(seconds=20)
"""What they wait for its state."""

_IN_VAIN: Final = frozenset({RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.OUT_OF_RANGE})
"""How Temporal refuses what it will refuse every time. What an operator can set right (a namespace, a right) is none of it."""


class TemporalDesk:
    """Implements IncidentDesk. `patience` and `budget` are the terms that new incidents begin with."""

    def __init__(self, client: Client, *, ui_url: str, patience: Patience, budget: Budget, rpc_timeout: timedelta) -> None:
        self._client = client
        self._ui_url = ui_url.rstrip("/")
        self._patience = patience
        self._budget = budget
        self._timeout = rpc_timeout
        self._open = RecentlyOpen()

    async def submit(
        self, target: Target, alerts: tuple[Alert, ...], *, alone: bool = False, left_out: int = 0
    ) -> IncidentReceipt | None:
        received = AlertsReceived(alerts=alerts, left_out=left_out)
        below = None if alone else target.below
        async with self._taken_in_time(target):
            if all(alert.status is AlertStatus.RESOLVED for alert in alerts):
                told_node = await self._signal_if_open(below, received) if below else None
                return await self._signal(target, received) or told_node
            # Most alerts join an open incident. A bare signal costs Temporal and us about a quarter less than a
            # signal-with-start; it is refused when the incident has closed meanwhile, and then the alerts open the next one
            # as any others would.
            joined = await self._signal_if_open(target, received)
            if joined is None and below is not None:
                joined = await self._signal_if_open(below, received)
            return joined or await self._open_or_join(target, received)

    async def group_under(self, node: Target, alerts: tuple[Alert, ...]) -> None:
        async with self._taken_in_time(node):
            await self._open_or_join(node, AlertsReceived(alerts=alerts, watched=True))

    @asynccontextmanager
    async def _taken_in_time(self, target: Target) -> AsyncIterator[None]:
        """All calls for one target share one deadline: senders wait no longer because there were several."""
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                yield
        except TimeoutError as e:
            seconds = self._timeout.total_seconds()
            raise TemporalUnavailableError(f"Temporal did not take the alerts of {target} within {seconds:.0f} s.") from e

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
                start_signal=ALERTS_RECEIVED,
                start_signal_args=[received],
                static_summary=bounded(f"{first.severity}: {first.name} on {target}", 180),
                priority=of_new(first.severity),
                task_timeout=_READS_ITS_HISTORY_WITHIN,
                rpc_timeout=self._timeout,
            )
        except RPCError as e:
            raise await self._not_taken(target, e) from e
        self._open.add(target.incident_id)
        return IncidentReceipt(id=target.incident_id, created=_started(handle))

    async def _signal(self, target: Target, received: AlertsReceived) -> IncidentReceipt | None:
        handle = self._client.get_workflow_handle(target.incident_id)
        try:
            await handle.signal(ALERTS_RECEIVED, received, rpc_timeout=self._timeout)
        except RPCError as e:
            if e.status is RPCStatusCode.NOT_FOUND:
                self._open.discard(target.incident_id)
                return None
            raise await self._not_taken(target, e) from e
        return IncidentReceipt(id=target.incident_id, created=False)

    async def _not_taken(self, target: Target, refusal: RPCError) -> OpsmendError:
        why = f"Temporal did not take the alerts of {target}: {bounded(str(refusal))}"
        if refusal.status in _IN_VAIN and not await self._is_full(target):
            return AlertsRejectedError(why)
        return TemporalUnavailableError(why)

    async def _is_full(self, target: Target) -> bool:
        """Whether the run takes no more signals, until it continues as a new one. Temporal answers that with the same code as
        what it never takes, so a signal that says nothing tells which of them it is."""
        handle = self._client.get_workflow_handle(target.incident_id)
        try:
            await handle.signal(ALERTS_RECEIVED, AlertsReceived(alerts=()), rpc_timeout=self._timeout)
        except RPCError as e:
            return e.status is not RPCStatusCode.NOT_FOUND
        return False

    async def decide(self, incident_id: str, request: DecisionRequest) -> DecisionRecorded:
        try:
            async with asyncio.timeout(_ANSWERED_WITHIN.total_seconds()):
                return await self._decide(incident_id, request)
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as e:
            raise DecisionUnconfirmedError(
                "The incident did not take the decision in time: no workflow worker answers, or Security's does not. It may "
                "still take it. Look at the incident in a minute and repeat the decision if it is not there; repeating is safe."
            ) from e

    async def _decide(self, incident_id: str, request: DecisionRequest) -> DecisionRecorded:
        handle = self._client.get_workflow_handle(incident_id)
        try:
            return await handle.execute_update(IncidentWorkflow.decide, request, rpc_timeout=_ANSWERED_WITHIN)
        except WorkflowUpdateFailedError as e:
            if not await self._is_incident(handle):
                raise IncidentNotFoundError(f"there is no incident {bounded(incident_id, 200)}") from e
            raise _decision_error(e) from e
        except RPCError as e:
            if e.status not in _NO_SUCH_RUN:
                raise TemporalUnavailableError(f"Temporal did not take the decision: {bounded(str(e))}") from e
            state = await self.get(incident_id)
            if state.approval is not None:
                raise AlreadyDecidedError(f"{state.approval.by} already decided: {state.approval.decision}") from e
            raise NothingToDecideError(f"no plan waits for an answer; the incident is {state.status}") from e

    async def get(self, incident_id: str, run_id: str | None = None) -> IncidentState:
        state = await self._state_of(incident_id, run_id)
        while state.continued:
            run_id = await self._next_run(incident_id, state.present_run)
            state = await self._state_of(incident_id, run_id)
        return state

    async def _next_run(self, incident_id: str, run_id: str) -> str | None:
        """The run in which the incident of a closed one goes on."""
        handle = self._client.get_workflow_handle(incident_id, run_id=run_id)
        try:
            ends = handle.fetch_history_events(
                event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT, rpc_timeout=self._timeout
            )
            return [e.workflow_execution_continued_as_new_event_attributes.new_execution_run_id async for e in ends][-1] or None
        except RPCError as e:
            raise TemporalUnavailableError(f"Temporal did not tell where the incident goes on: {bounded(str(e))}") from e

    async def _state_of(self, incident_id: str, run_id: str | None) -> IncidentState:
        handle = self._client.get_workflow_handle(incident_id, run_id=run_id)
        try:
            return await handle.query(IncidentWorkflow.state, rpc_timeout=_TOLD_WITHIN)
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

    async def page(
        self,
        status: Status | None = None,
        outcome: Outcome | None = None,
        *,
        begin: bytes | None = None,
        limit: int = _MOST_ROWS,
    ) -> IncidentPage:
        query = (
            f'WorkflowType = "{_WORKFLOW_TYPE}" AND (OpsmendStatus IS NULL OR OpsmendStatus != "{search_attributes.CONTINUED}")'
        )
        query += f' AND OpsmendStatus = "{status.value}"' if status else ""
        query += f' AND OpsmendOutcome = "{outcome.value}"' if outcome else ""
        found = self._client.list_workflows(query, page_size=limit, next_page_token=begin, rpc_timeout=self._timeout)
        try:
            await found.fetch_next_page()
        except RPCError as e:
            raise TemporalUnavailableError(f"Temporal did not list incidents: {bounded(str(e))}") from e
        return IncidentPage(rows=tuple(map(_row, found.current_page or ())), next=found.next_page_token or None)

    async def list(self, status: Status | None = None, outcome: Outcome | None = None) -> tuple[IncidentRow, ...]:
        return (await self.page(status, outcome)).rows

    def ui_link(self, incident_id: str, run_id: str) -> str:
        workflow = quote(incident_id, safe="")
        return f"{self._ui_url}/namespaces/{self._client.namespace}/workflows/{workflow}/{run_id}/history"


def _started(handle: WorkflowHandle[Any, Any]) -> bool:
    """Whether the call started the workflow. The SDK (pinned below 1.36) keeps the server's answer but has no public name
    for it; asking the server a second time would cost every webhook another call."""
    response = handle._start_workflow_response
    return response is not None and response.started


def _decision_error(failure: WorkflowUpdateFailedError) -> OpsmendError:
    unknown = TemporalUnavailableError(f"the incident could not take the decision: {bounded(str(failure.cause))}")
    return refusal_in(failure, _DECISION_ERRORS) or unknown


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
