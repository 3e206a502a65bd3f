"""The questions that an incident asks, in one form: an id, a text and the possible answers."""

from enum import StrEnum

from pydantic import AwareDatetime

from opsmend.domain.approval import Answer
from opsmend.domain.incident import IncidentState, Status
from opsmend.domain.record import View


class QuestionKind(StrEnum):
    APPROVAL = "approval"
    """May this plan run? Its id is the plan's hash."""


class AnswerOption(View):
    """`answer` is what is sent, `label` what a person reads."""

    answer: str
    label: str
    needs_reason: bool = False


class OpenQuestion(View):
    """A question that waits for an answer. Another plan is another question with another id."""

    id: str
    kind: QuestionKind
    text: str
    options: tuple[AnswerOption, ...]
    asked_at: AwareDatetime | None


_MAY_IT_RUN = (
    AnswerOption(answer=Answer.APPROVE, label="Approve"),
    AnswerOption(answer=Answer.REJECT, label="Reject", needs_reason=True),
)


def open_questions(state: IncidentState) -> tuple[OpenQuestion, ...]:
    """All that the incident asks at present."""
    plan = state.plan
    if plan is None or state.status is not Status.AWAITING_APPROVAL or state.approval is not None:
        return ()
    asked = [entry.at for entry in state.timeline if entry.event == "approval.asked"]
    text = f"May this plan run? {plan.summary}"
    return (
        OpenQuestion(
            id=plan.hash,
            kind=QuestionKind.APPROVAL,
            text=text,
            options=_MAY_IT_RUN,
            asked_at=asked[-1] if asked else None,
        ),
    )
