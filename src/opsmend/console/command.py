"""How this opsmend is called, for commands that are printed to be typed, and by whom."""

import getpass
import os
import shlex
import shutil
import sys
from pathlib import Path


def this_command() -> str:
    """For the shell that we were called from: `opsmend` where it finds this one by that name, else the whole path.

    Under `uv run` (and so under `make demo`) we find it by its name, and the shell does not.
    """
    found = shutil.which("opsmend")
    by_name = found is not None and Path(found).resolve() == _script().resolve() and "UV_RUN_RECURSION_DEPTH" not in os.environ
    return "opsmend" if by_name else this_command_anywhere()


def this_command_anywhere() -> str:
    """For any shell of this machine: the whole path."""
    return shlex.quote(str(_script())) if _script().exists() else f"{shlex.quote(sys.executable)} -m opsmend.cli"


def _script() -> Path:
    return Path(sys.executable).with_name("opsmend")


def who_types() -> str:
    """The account at this terminal, for the record; empty where the system knows none, as in many containers."""
    try:
        return getpass.getuser()[:128]
    except (KeyError, OSError):
        return ""
