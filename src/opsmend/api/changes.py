"""Pausing changes, resuming them, and releasing objects that are held for people, over HTTP."""

from typing import Any, Final

import structlog
from fastapi import APIRouter, Depends
from pydantic import Field

from opsmend.api.access import Access
from opsmend.api.bearer_route import BODY_FAILURES, BearerRoute
from opsmend.api.by_people import EITHER_TOKEN, OPERATOR_TOKEN, Reason, SaidByAPerson
from opsmend.api.changes_view import ChangesView, changes_view
from opsmend.api.problem import Failure
from opsmend.domain.change_control import PauseRequest, ReleaseRequest, ResumeRequest
from opsmend.domain.ports.change_control import ChangeControl
from opsmend.domain.target import Kind, ObjectRef

_log = structlog.get_logger(__name__)

_FAILURES: Final[dict[int | str, dict[str, Any]]] = {
    **BODY_FAILURES,
    401: {"model": Failure, "description": "No or unknown token."},
    403: {"model": Failure, "description": "Not the operator token, or policy does not let this person do it."},
    409: {"model": Failure, "description": "There is nothing to release."},
    422: {"model": Failure, "description": "A field is not what it must be; the message names it."},
    503: {"model": Failure, "description": "Temporal or a workflow worker does not answer. Ask again."},
}


class PauseAsked(SaidByAPerson):
    reason: Reason = ""


class ResumeAsked(SaidByAPerson):
    """Changes are allowed again."""


class ReleaseAsked(SaidByAPerson):
    """An object that is held for people."""

    kind: Kind
    namespace: str = Field(default="", max_length=63)
    object_name: str = Field(min_length=1, max_length=253)


def change_router(control: ChangeControl, access: Access) -> APIRouter:
    """Reading takes either token, everything else the operator's."""
    router = APIRouter(prefix="/v1/changes", tags=["changes"], responses=_FAILURES, route_class=BearerRoute)
    reader, operator = [Depends(access.require_reader)], [Depends(access.require_operator)]

    @router.get("", dependencies=reader, openapi_extra=EITHER_TOKEN)
    async def show_changes() -> ChangesView:
        """Whether changes are paused, and which objects are held for people."""
        return changes_view(await control.state())

    @router.post("/pause", dependencies=operator, openapi_extra=OPERATOR_TOKEN)
    async def pause(asked: PauseAsked) -> ChangesView:
        """No new step is made until somebody resumes. A step that has begun is finished or undone; investigations go on."""
        state = await control.pause(PauseRequest(by=asked.by(), reason=asked.reason))
        _log.warning("changes.paused", by=asked.name, reason=asked.reason)
        return changes_view(state)

    @router.post("/resume", dependencies=operator, openapi_extra=OPERATOR_TOKEN)
    async def resume(asked: ResumeAsked) -> ChangesView:
        """Steps may be made again."""
        state = await control.resume(ResumeRequest(by=asked.by()))
        _log.warning("changes.resumed", by=asked.name)
        return changes_view(state)

    @router.post("/release", dependencies=operator, openapi_extra=OPERATOR_TOKEN)
    async def release(asked: ReleaseAsked) -> ChangesView:
        """Let opsmend change an object again that it had changed too often."""
        target = ObjectRef(kind=asked.kind, namespace=asked.namespace, name=asked.object_name)
        state = await control.release(ReleaseRequest(by=asked.by(), target=str(target)))
        _log.warning("changes.released", by=asked.name, target=str(target))
        return changes_view(state)

    return router
