"""Reading incidents and answering their questions over HTTP."""

from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Depends, Query
from pydantic import Field

from opsmend.api.access import Access
from opsmend.api.backlog import backlog_view
from opsmend.api.bearer_route import BODY_FAILURES, BearerRoute
from opsmend.api.by_people import EITHER_TOKEN, OPERATOR_TOKEN, IncidentId, ReasonOfAnAnswer, SaidByAPerson
from opsmend.api.cursor import CURSOR_LIMIT, Cursors
from opsmend.api.explanation import Explanation, explanation
from opsmend.api.incident_view import IncidentList, IncidentView, incident_view, row_view
from opsmend.api.problem import Failure
from opsmend.api.worker_watch import WorkerWatch
from opsmend.domain.approval import Answer, DecisionRecorded, DecisionRequest
from opsmend.domain.incident import Outcome, Status
from opsmend.domain.ports.desk import IncidentDesk
from opsmend.telemetry import ApiMetrics

_log = structlog.get_logger(__name__)

Cursor = Annotated[
    str | None, Query(max_length=CURSOR_LIMIT, description="`next_cursor` of the page before; the first page by default.")
]
Limit = Annotated[int, Query(ge=1, le=200, description="Incidents of one page.")]
RunId = Annotated[str | None, Query(max_length=64, description="A run of this incident; the latest one by default.")]

_READ_FAILURES: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": Failure, "description": "No or unknown token."},
    404: {"model": Failure, "description": "No such incident."},
    422: {"model": Failure, "description": "A parameter is not what it must be; the message names it."},
    503: {"model": Failure, "description": "Temporal cannot be asked."},
}
_DECIDE_FAILURES: Final[dict[int | str, dict[str, Any]]] = {
    **_READ_FAILURES,
    **BODY_FAILURES,
    503: {"model": Failure, "description": "Nobody said within ten seconds whether it was taken. Repeating it is safe."},
    403: {"model": Failure, "description": "Not the operator token, or policy does not let this person decide."},
    409: {"model": Failure, "description": "The hash is stale, the question was answered before, or none is open."},
}


class Decision(SaidByAPerson):
    """An answer to the plan with exactly this hash."""

    plan_hash: str = Field(min_length=1, max_length=128)
    decision: Answer
    reason: ReasonOfAnAnswer = ""

    def request(self) -> DecisionRequest:
        return DecisionRequest(plan_hash=self.plan_hash, decision=self.decision, by=self.by(), reason=self.reason)


def incident_router(
    desk: IncidentDesk, access: Access, cursors: Cursors, metrics: ApiMetrics, watch: WorkerWatch | None
) -> APIRouter:
    """Reading takes either token, deciding the operator's. `watch` knows how many wait to be looked into."""
    router = APIRouter(prefix="/v1/incidents", tags=["incidents"], route_class=BearerRoute)
    reader, operator = [Depends(access.require_reader)], [Depends(access.require_operator)]

    @router.get("", dependencies=reader, responses=_READ_FAILURES, openapi_extra=EITHER_TOKEN)
    async def list_incidents(
        status: Status | None = None, outcome: Outcome | None = None, limit: Limit = 200, cursor: Cursor = None
    ) -> IncidentList:
        """Newest first. `next_cursor` says that there are more, `backlog` that some wait to be looked into."""
        page = await desk.page(status, outcome, begin=cursors.read(cursor) if cursor else None, limit=limit)
        return IncidentList(
            incidents=[row_view(row, desk.ui_link(row.id, row.run_id)) for row in page.rows],
            next_cursor=cursors.write(page.next) if page.next else None,
            backlog=backlog_view(watch.queues) if watch else None,
        )

    @router.get("/{incident_id}", dependencies=reader, responses=_READ_FAILURES, openapi_extra=EITHER_TOKEN)
    async def get_incident(incident_id: IncidentId, run_id: RunId = None) -> IncidentView:
        """The latest run of the incident, or the one named."""
        state = await desk.get(incident_id, run_id)
        return incident_view(state, desk.ui_link(state.id, state.present_run))

    @router.get("/{incident_id}/explain", dependencies=reader, responses=_READ_FAILURES, openapi_extra=EITHER_TOKEN)
    async def explain_incident(incident_id: IncidentId, run_id: RunId = None) -> Explanation:
        """Which evidence, which rule, which alternative was refused, who approved, and why these numbers."""
        return explanation(await desk.get(incident_id, run_id))

    @router.post("/{incident_id}/decision", dependencies=operator, responses=_DECIDE_FAILURES, openapi_extra=OPERATOR_TOKEN)
    async def decide(incident_id: IncidentId, decision: Decision) -> DecisionRecorded:
        """Approve or reject the plan with this hash."""
        recorded = await desk.decide(incident_id, decision.request())
        metrics.decisions.labels(recorded.decision.value).inc()
        _log.info("plan.decided", incident_id=incident_id, plan_hash=recorded.plan_hash, decision=recorded.decision.value)
        return recorded

    return router
