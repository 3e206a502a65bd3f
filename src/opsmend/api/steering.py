"""Taking an incident over, stopping it, snoozing it, marking its diagnosis as wrong, looking without an alert, over HTTP."""

from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BeforeValidator, Field

from opsmend.api.access import Access
from opsmend.api.bearer_route import BODY_FAILURES, BearerRoute
from opsmend.api.by_people import OPERATOR_TOKEN, IncidentId, Note, Reason, SaidByAPerson
from opsmend.api.investigation_view import InvestigationBegun
from opsmend.api.problem import Failure
from opsmend.domain.ports.steering import IncidentSteering
from opsmend.domain.steering import Snooze, Steered, Stop, TakeOver, WrongDiagnosis
from opsmend.domain.target import Kind, Target

_log = structlog.get_logger(__name__)

_FAILURES: Final[dict[int | str, dict[str, Any]]] = {
    **BODY_FAILURES,
    401: {"model": Failure, "description": "No or unknown token."},
    403: {"model": Failure, "description": "Not the operator token, or policy does not let this person do it."},
    404: {"model": Failure, "description": "No such incident."},
    409: {"model": Failure, "description": "The incident is closed, or asks nothing that could be snoozed."},
    422: {"model": Failure, "description": "A field is not what it must be; the message names it."},
    503: {"model": Failure, "description": "Temporal or a workflow worker does not answer. Ask again: twice is harmless."},
}


class EndAsked(SaidByAPerson):
    reason: Reason = ""


def _written(moment: object) -> object:
    """A number would be taken for seconds since 1970: nobody means that here."""
    if not isinstance(moment, str):
        raise ValueError("expected a time as in ISO 8601, such as 2026-03-14T15:00:00Z")
    return moment


class SnoozeAsked(SaidByAPerson):
    until: Annotated[AwareDatetime, BeforeValidator(_written)]


class WrongAsked(SaidByAPerson):
    """`run_id` names a run of the incident; the latest one if it is not given."""

    note: Note = ""
    run_id: str | None = Field(default=None, max_length=64)


class InvestigationAsked(SaidByAPerson):
    kind: Kind
    namespace: str = Field(default="", max_length=63)
    object_name: str = Field(min_length=1, max_length=253)


def steering_router(steering: IncidentSteering, access: Access, cluster: str) -> APIRouter:
    """All of it takes the operator token."""
    operator = [Depends(access.require_operator)]
    router = APIRouter(prefix="/v1", tags=["incidents"], dependencies=operator, responses=_FAILURES, route_class=BearerRoute)

    @router.post("/incidents/{incident_id}/take-over", openapi_extra=OPERATOR_TOKEN)
    async def take_over(incident_id: IncidentId, asked: EndAsked) -> Steered:
        """A person sees to it. opsmend asks, reminds and changes nothing more. A change that it made stays."""
        return _told(await steering.take_over(incident_id, TakeOver(by=asked.by(), reason=asked.reason)))

    @router.post("/incidents/{incident_id}/stop", openapi_extra=OPERATOR_TOKEN)
    async def stop(incident_id: IncidentId, asked: EndAsked) -> Steered:
        """The incident ends. A change that was made is undone first."""
        return _told(await steering.stop(incident_id, Stop(by=asked.by(), reason=asked.reason)))

    @router.post("/incidents/{incident_id}/snooze", openapi_extra=OPERATOR_TOKEN)
    async def snooze(incident_id: IncidentId, asked: SnoozeAsked) -> Steered:
        """No reminder and no escalation before that time. The question stands."""
        return _told(await steering.snooze(incident_id, Snooze(by=asked.by(), until=asked.until)))

    @router.post("/incidents/{incident_id}/wrong-diagnosis", openapi_extra=OPERATOR_TOKEN)
    async def mark_wrong(incident_id: IncidentId, asked: WrongAsked) -> Steered:
        """The diagnosis is wrong: memory does not recall it. Also of an incident that is closed."""
        wrong = WrongDiagnosis(by=asked.by(), note=asked.note)
        return _told(await steering.mark_wrong(incident_id, asked.run_id, wrong))

    @router.post("/investigations", status_code=202, openapi_extra=OPERATOR_TOKEN)
    async def investigate(asked: InvestigationAsked) -> InvestigationBegun:
        """Look into an object without an alert. Nothing is changed; read the result as that of any incident."""
        target = Target(cluster=cluster, kind=asked.kind, namespace=asked.namespace, name=asked.object_name)
        receipt = await steering.investigate(target, asked.by())
        _log.info("investigation.asked", incident_id=receipt.id, created=receipt.created)
        return InvestigationBegun(id=receipt.id, created=receipt.created)

    return router


def _told(steered: Steered) -> Steered:
    _log.info("incident.steered", incident_id=steered.incident_id, what=steered.what)
    return steered
