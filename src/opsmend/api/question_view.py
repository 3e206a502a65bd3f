"""What is told of an incident's questions and their answers. The server writes it, the client reads it."""

from datetime import datetime

from pydantic import BaseModel

from opsmend.domain.questions import OpenQuestion


class OptionView(BaseModel):
    answer: str
    label: str
    needs_reason: bool


class QuestionView(BaseModel):
    id: str
    kind: str
    text: str
    options: list[OptionView]
    asked_at: datetime | None


class QuestionList(BaseModel):
    """Empty while the incident asks nothing."""

    questions: list[QuestionView]


class AnswerTaken(BaseModel):
    incident_id: str
    question_id: str
    answer: str


def question_view(question: OpenQuestion) -> QuestionView:
    return QuestionView.model_validate(question.model_dump())
