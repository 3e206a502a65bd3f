"""`opsmend approve`, `reject`: answering a question. What is sent is the hash of what was shown."""

from typing import Annotated, Final

import typer
from rich.console import Group

from opsmend.api.incident_view import IncidentView, PlanView
from opsmend.cli.calling import ApiOption, DataDirOption, IncidentArgument, the_api, the_incident
from opsmend.cli.output import show, waiting_for
from opsmend.console.client import OpsmendApi
from opsmend.console.command import who_types
from opsmend.console.incident_report import headline, plan_report, verdict_report
from opsmend.console.layout import say
from opsmend.domain.approval import Answer
from opsmend.errors import NothingToDecideError, PlanHashStaleError, RefusedError

commands = typer.Typer()

_SHORT_HASH: Final = 12
"""Hex digits of a hash that reports show."""

_SHORTEST_HASH: Final = 8
"""Hex digits that a person may give instead of the whole hash. Only one plan is asked about at a time."""

HashOption = Annotated[str | None, typer.Option("--plan-hash", help="Answer only if the plan still has this hash.")]


@commands.command()
def approve(
    ctx: typer.Context,
    incident_id: IncidentArgument,
    plan_hash: HashOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; the plan is shown all the same.")] = False,
    api: ApiOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Let the current plan run, after showing exactly what it does."""
    opsmend = the_api(ctx, api, data_dir)
    incident_id = the_incident(opsmend, incident_id)
    plan = _shown_plan(opsmend, incident_id, plan_hash)
    if not yes and not typer.confirm("Approve exactly this plan?", default=False):
        raise RefusedError("Nothing was sent.")
    _send(opsmend, incident_id, plan, Answer.APPROVE, "")


@commands.command()
def reject(
    ctx: typer.Context,
    incident_id: IncidentArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why not; kept in the incident's history.")],
    plan_hash: HashOption = None,
    api: ApiOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Refuse the current plan."""
    opsmend = the_api(ctx, api, data_dir)
    incident_id = the_incident(opsmend, incident_id)
    plan = _shown_plan(opsmend, incident_id, plan_hash)
    _send(opsmend, incident_id, plan, Answer.REJECT, reason)


def _shown_plan(opsmend: OpsmendApi, incident_id: str, expected: str | None) -> PlanView:
    """Show the plan that stands, and return it for its hash to be sent.

    Raises:
        NothingToDecideError: no question is open.
        PlanHashStaleError: it is not the plan that was expected.
    """
    incident = waiting_for(opsmend.where, opsmend.incident(incident_id))
    plan = _open_question(incident)
    show(Group(headline(incident), plan_report(plan), *([verdict_report(incident.verdict)] if incident.verdict else [])))
    if expected is not None and not _names(expected, plan.hash):
        raise PlanHashStaleError(f"The plan is {plan.hash[:_SHORT_HASH]} now, not {expected}. Nothing was sent.")
    return plan


def _open_question(incident: IncidentView) -> PlanView:
    if incident.status != "awaiting_approval" or incident.plan is None:
        raise NothingToDecideError(f"{incident.id} asks nothing: it is {incident.outcome or incident.status}.")
    return incident.plan


def _names(given: str, plan_hash: str) -> bool:
    return len(given) >= _SHORTEST_HASH and plan_hash.startswith(given.lower())


def _send(opsmend: OpsmendApi, incident_id: str, plan: PlanView, decision: Answer, reason: str) -> None:
    sending = opsmend.decide(incident_id, plan_hash=plan.hash, decision=decision, reason=reason, name=who_types())
    waiting_for("the incident to take the answer", sending)
    show(say(f"{decision.value.capitalize()} was recorded for plan {plan.hash[:_SHORT_HASH]}.", "green"))
