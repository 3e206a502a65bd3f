"""The commands and the files that hold them. A file is imported only when one of its commands runs, so that
`opsmend incidents` need not wait for the Kubernetes and Milvus clients."""

from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

from opsmend.cli.output import complain
from opsmend.console.client import ApiUnreachableError
from opsmend.errors import OpsmendError, SettingsError

COMMANDS: Final[dict[str, str]] = {
    "demo": "opsmend.cli.showing",
    "up": "opsmend.cli.up",
    "api": "opsmend.cli.running",
    "worker": "opsmend.cli.running",
    "incidents": "opsmend.cli.reading",
    "incident": "opsmend.cli.reading",
    "explain": "opsmend.cli.reading",
    "approve": "opsmend.cli.deciding",
    "reject": "opsmend.cli.deciding",
    "questions": "opsmend.cli.answering",
    "answer": "opsmend.cli.answering",
    "take-over": "opsmend.cli.steering",
    "stop": "opsmend.cli.steering",
    "snooze": "opsmend.cli.steering",
    "wrong": "opsmend.cli.steering",
    "investigate": "opsmend.cli.steering",
    "pause": "opsmend.cli.changes",
    "resume": "opsmend.cli.changes",
    "release": "opsmend.cli.changes",
    "changes": "opsmend.cli.changes",
    "doctor": "opsmend.cli.checking",
    "config": "opsmend.cli.configuring",
    "prune": "opsmend.cli.pruning",
}
"""Command -> module with a `commands: typer.Typer` that has it, in the order of the help."""

REFUSED: Final = 1
"""Exit code: it was refused or failed. 0 is done, 2 a usage error, which typer itself sees to."""

UNREACHABLE: Final = 3
"""Exit code: opsmend is not there."""

MISCONFIGURED: Final = 78
"""Exit code: the configuration cannot work, and starting again will not help (EX_CONFIG of sysexits.h)."""


class Commands(TyperGroup):
    """Finds commands in COMMANDS, and turns our errors into a sentence and an exit code."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        return typer.main.get_group(import_module(COMMANDS[cmd_name]).commands).commands[cmd_name]

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ApiUnreachableError as error:
            complain(str(error))
            raise typer.Exit(UNREACHABLE) from error
        except SettingsError as error:
            complain(str(error))
            raise typer.Exit(MISCONFIGURED) from error
        except OpsmendError as error:
            complain(str(error))
            raise typer.Exit(REFUSED) from error
