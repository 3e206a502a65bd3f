"""`opsmend questions`, `answer`: every question of an incident, whatever it is about.

`opsmend approve` and `reject` answer the question about a plan, after showing exactly what the plan does.
"""

import getpass
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from opsmend.api.question_view import QuestionView
from opsmend.cli.calling import ApiOption, DataDirOption, IncidentArgument, JsonOption, the_api, the_incident
from opsmend.cli.output import show, show_json, waiting_for
from opsmend.console.layout import say
from opsmend.errors import BadPayloadError, NothingToDecideError

commands = typer.Typer()

_SHOWN: int = 12
"""Characters of a question's id that a person sees and may give."""


@commands.command()
def questions(
    ctx: typer.Context,
    incident_id: IncidentArgument,
    as_json: JsonOption = False,
    api: ApiOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Show what an incident asks, and what can be answered."""
    opsmend = the_api(ctx, api, data_dir)
    found = waiting_for(opsmend.where, opsmend.questions(the_incident(opsmend, incident_id)))
    if as_json:
        show_json(found)
    else:
        show(Group(*map(_question, found.questions)) if found.questions else "It asks nothing.")


@commands.command()
def answer(
    ctx: typer.Context,
    incident_id: IncidentArgument,
    given: Annotated[str, typer.Argument(metavar="ANSWER", help="One of the answers that `opsmend questions` shows.")],
    question: Annotated[str, typer.Option("--question", help="Which one, by the beginning of its id.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the incident's history.")] = "",
    api: ApiOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Answer a question of an incident."""
    opsmend = the_api(ctx, api, data_dir)
    incident_id = the_incident(opsmend, incident_id)
    asked = _the_one(waiting_for(opsmend.where, opsmend.questions(incident_id)).questions, question)
    option = next((option for option in asked.options if option.answer == given), None)
    if option is None:
        raise BadPayloadError(f"{given!r} answers nothing here. Answer {_answers(asked)}.")
    if option.needs_reason and not reason:
        raise BadPayloadError(f"{given} needs a reason: --reason '…'.")
    answered = opsmend.answer(incident_id, question_id=asked.id, answer=given, reason=reason, name=getpass.getuser())
    taken = waiting_for(opsmend.where, answered)
    show(say(f"{taken.answer} was recorded for {asked.id[:_SHOWN]}."))


def _the_one(asked: list[QuestionView], beginning: str) -> QuestionView:
    """Raises NothingToDecideError: none is open. BadPayloadError: none or several begin so."""
    if not asked:
        raise NothingToDecideError("It asks nothing.")
    found = [question for question in asked if question.id.startswith(beginning.lower())]
    if len(found) != 1:
        ids = ", ".join(question.id[:_SHOWN] for question in asked)
        raise BadPayloadError(f"Name one question with --question: {ids}.")
    return found[0]


def _question(question: QuestionView) -> RenderableType:
    return Group(say(f"{question.id[:_SHOWN]}  {question.text}", "bold"), say(f"answers: {_answers(question)}"))


def _answers(question: QuestionView) -> str:
    return ", ".join(option.answer + (" (with --reason)" if option.needs_reason else "") for option in question.options)
