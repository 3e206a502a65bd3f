"""The questions of an incident and their answers over HTTP, in one form for all kinds of questions."""

from typing import Any, Final

import structlog
from fastapi import APIRouter, Depends
from pydantic import Field

from opsmend.api.access import Access
from opsmend.api.bearer_route import BODY_FAILURES, BearerRoute
from opsmend.api.by_people import EITHER_TOKEN, OPERATOR_TOKEN, IncidentId, ReasonOfAnAnswer, SaidByAPerson
from opsmend.api.problem import Failure
from opsmend.api.question_view import AnswerTaken, QuestionList, question_view
from opsmend.domain.approval import Answer, DecisionRequest
from opsmend.domain.ports.desk import IncidentDesk
from opsmend.domain.questions import open_questions
from opsmend.errors import BadPayloadError
from opsmend.telemetry import ApiMetrics

_log = structlog.get_logger(__name__)

_FAILURES: Final[dict[int | str, dict[str, Any]]] = {
    **BODY_FAILURES,
    401: {"model": Failure, "description": "No or unknown token."},
    403: {"model": Failure, "description": "Not the operator token, or policy does not let this person answer."},
    404: {"model": Failure, "description": "No such incident."},
    409: {"model": Failure, "description": "This question is not open any more, or was answered before."},
    422: {"model": Failure, "description": "A field is not what it must be; the message names it."},
    503: {"model": Failure, "description": "Temporal or a workflow worker does not answer. Ask again: twice is harmless."},
}


class AnswerGiven(SaidByAPerson):
    """`answer` is one of the question's options."""

    question_id: str = Field(min_length=1, max_length=128)
    answer: str = Field(min_length=1, max_length=64)
    reason: ReasonOfAnAnswer = ""

    def decision(self) -> DecisionRequest:
        """The answer to the question whether a plan may run. Raises BadPayloadError for any other word."""
        try:
            answer = Answer(self.answer)
        except ValueError:
            raise BadPayloadError(f"answer: {self.answer!r} is none of {', '.join(Answer)}") from None
        return DecisionRequest(plan_hash=self.question_id, decision=answer, by=self.by(), reason=self.reason)


def question_router(desk: IncidentDesk, access: Access, metrics: ApiMetrics) -> APIRouter:
    """Reading takes either token, answering the operator's."""
    router = APIRouter(prefix="/v1/incidents", tags=["incidents"], responses=_FAILURES, route_class=BearerRoute)
    reader, operator = [Depends(access.require_reader)], [Depends(access.require_operator)]

    @router.get("/{incident_id}/questions", dependencies=reader, openapi_extra=EITHER_TOKEN)
    async def list_questions(incident_id: IncidentId) -> QuestionList:
        """What the incident asks at present."""
        return QuestionList(questions=[question_view(asked) for asked in open_questions(await desk.get(incident_id))])

    @router.post("/{incident_id}/answer", dependencies=operator, openapi_extra=OPERATOR_TOKEN)
    async def answer(incident_id: IncidentId, given: AnswerGiven) -> AnswerTaken:
        """Answer the question with exactly this id."""
        recorded = await desk.decide(incident_id, given.decision())
        metrics.decisions.labels(recorded.decision.value).inc()
        _log.info("question.answered", incident_id=incident_id, question_id=given.question_id, answer=given.answer)
        return AnswerTaken(incident_id=incident_id, question_id=given.question_id, answer=given.answer)

    return router
