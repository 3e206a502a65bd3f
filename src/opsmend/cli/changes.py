"""`opsmend pause`, `resume`, `release`, `changes`: whether opsmend may change anything now."""

import getpass
from typing import Annotated

import typer

from opsmend.api.changes_view import ChangesView
from opsmend.cli.calling import ApiOption, DataDirOption, JsonOption, the_api
from opsmend.cli.output import show, show_json, waiting_for
from opsmend.console.changes_report import changes_report
from opsmend.console.object_name import object_named

commands = typer.Typer()

ObjectArgument = Annotated[str, typer.Argument(metavar="KIND/NAME", help="An object, such as deployment/web.")]
NamespaceOption = Annotated[str, typer.Option("--namespace", "-n", help="Its namespace; none for a node.")]


@commands.command()
def pause(
    ctx: typer.Context,
    reason: Annotated[str, typer.Option("--reason", help="Why; everybody who asks is told.")] = "",
    api: ApiOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Make no new change until `opsmend resume`. A step that has begun is finished or undone; investigations go on."""
    opsmend = the_api(ctx, api, data_dir)
    _tell(waiting_for(opsmend.where, opsmend.pause(reason=reason, name=getpass.getuser())))


@commands.command()
def resume(ctx: typer.Context, api: ApiOption = None, data_dir: DataDirOption = None) -> None:
    """Allow changes again."""
    opsmend = the_api(ctx, api, data_dir)
    _tell(waiting_for(opsmend.where, opsmend.resume(name=getpass.getuser())))


@commands.command()
def release(
    ctx: typer.Context,
    target: ObjectArgument,
    namespace: NamespaceOption = "",
    api: ApiOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Let opsmend change an object again that it had changed too often."""
    opsmend = the_api(ctx, api, data_dir)
    ref = object_named(target, namespace)
    _tell(waiting_for(opsmend.where, opsmend.release(ref, name=getpass.getuser())))


@commands.command()
def changes(ctx: typer.Context, as_json: JsonOption = False, api: ApiOption = None, data_dir: DataDirOption = None) -> None:
    """Show whether changes are paused, and which objects are held for people."""
    opsmend = the_api(ctx, api, data_dir)
    found = waiting_for(opsmend.where, opsmend.changes())
    if as_json:
        show_json(found)
    else:
        _tell(found)


def _tell(view: ChangesView) -> None:
    show(changes_report(view))
