"""`opsmend take-over`, `stop`, `snooze`, `wrong`, `investigate`: what a person on call may have incidents do."""

import getpass
import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer

from opsmend.cli.calling import ApiOption, DataDirOption, IncidentArgument, RunOption, the_api, the_incident
from opsmend.cli.changes import NamespaceOption, ObjectArgument
from opsmend.cli.output import show, waiting_for
from opsmend.console.client import OpsmendApi
from opsmend.console.layout import say
from opsmend.console.object_name import object_named
from opsmend.domain.steering import Steered
from opsmend.errors import BadPayloadError

commands = typer.Typer()

ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept in the incident's timeline.")]

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


@commands.command(name="take-over")
def take_over(
    ctx: typer.Context,
    incident_id: IncidentArgument,
    reason: ReasonOption = "",
    api: ApiOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """See to an incident yourself: opsmend asks, reminds and changes nothing more. A change that it made stays."""
    opsmend = the_api(ctx, api, data_dir)
    _steer(opsmend, incident_id, lambda whole: opsmend.take_over(whole, reason=reason, name=getpass.getuser()))


@commands.command()
def stop(
    ctx: typer.Context,
    incident_id: IncidentArgument,
    reason: ReasonOption = "",
    api: ApiOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """End an incident. A change that was made is undone first."""
    opsmend = the_api(ctx, api, data_dir)
    _steer(opsmend, incident_id, lambda whole: opsmend.stop(whole, reason=reason, name=getpass.getuser()))


@commands.command()
def snooze(
    ctx: typer.Context,
    incident_id: IncidentArgument,
    length: Annotated[str, typer.Argument(metavar="TIME", help="How long: 30m, 2h or 1d; 7 days at most.")],
    api: ApiOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Be neither reminded of a question nor have it escalated for a while. The question stands."""
    until = datetime.now(UTC) + _length(length)
    opsmend = the_api(ctx, api, data_dir)
    _steer(opsmend, incident_id, lambda whole: opsmend.snooze(whole, until=until, name=getpass.getuser()))


@commands.command()
def wrong(
    ctx: typer.Context,
    incident_id: IncidentArgument,
    note: Annotated[str, typer.Option("--note", help="What it was instead, or how you know.")] = "",
    run: RunOption = None,
    api: ApiOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Say that a diagnosis is wrong: memory does not recall it. Also of an incident that is closed."""
    opsmend = the_api(ctx, api, data_dir)
    _steer(opsmend, incident_id, lambda whole: opsmend.mark_wrong(whole, run_id=run, note=note, name=getpass.getuser()))


@commands.command()
def investigate(
    ctx: typer.Context,
    target: ObjectArgument,
    namespace: NamespaceOption = "",
    api: ApiOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Look into an object without an alert. Nothing is changed."""
    opsmend = the_api(ctx, api, data_dir)
    ref = object_named(target, namespace)
    begun = waiting_for(opsmend.where, opsmend.investigate(ref, name=getpass.getuser()))
    show(say(f"{'Looking into' if begun.created else 'Already looking into'} {ref}. See: opsmend incident {begun.id}"))


def _length(text: str) -> timedelta:
    given = re.fullmatch(r"(\d{1,5})([mhd])", text)
    if given is None:
        raise BadPayloadError(f"{text!r} is no length of time. Write 30m, 2h or 1d.")
    return timedelta(**{_UNITS[given[2]]: int(given[1])})


def _steer(opsmend: OpsmendApi, given: str, ask: Callable[[str], Coroutine[Any, Any, Steered]]) -> None:
    """`ask` is called with the whole id of the incident that was `given`."""
    steered = waiting_for(opsmend.where, ask(the_incident(opsmend, given)))
    show(say(f"{steered.incident_id}: {steered.what}."))
