"""`python -m lab build [--kubernetes MINOR] | up [--kubernetes MINOR] | down | status | fits`."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from lab.binaries import KUBERNETES
from lab.cluster import build, down, is_up, status, up
from lab.errors import LabError
from lab.fitness import INSTEAD, what_does_not_work, what_is_missing
from lab.places import ALERTMANAGER_URL, OPSMEND_URL, PROMETHEUS_URL, Places, places

NOT_HERE = 69
"""Exit code where this machine cannot run the lab (EX_UNAVAILABLE of sysexits.h)."""

console = Console()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lab", description="A real Kubernetes node on this machine.")
    parser.add_argument("command", choices=("build", "up", "down", "status", "fits"))
    parser.add_argument(
        "--kubernetes", choices=KUBERNETES, default=KUBERNETES[0], help="its minor version, for `build` and `up`"
    )
    arguments = parser.parse_args()
    command = arguments.command
    where = places()
    missing = what_is_missing()
    if missing is None and command in ("build", "up", "fits") and not is_up(where):
        missing = what_does_not_work(where.state)
    if missing:
        console.print(f"{missing} {INSTEAD}", highlight=False, soft_wrap=True)
        return NOT_HERE
    try:
        if command == "up":
            return _up(where, arguments.kubernetes)
        if command == "build":
            return _build(where, arguments.kubernetes)
        return {"down": _down, "status": _status, "fits": _fits}[command](where)
    except LabError as e:
        console.print(f"[red]{e}[/]", highlight=False, soft_wrap=True)
        return 1


def _build(where: Places, kubernetes: str) -> int:
    began = time.monotonic()
    with _telling() as tell:
        build(where, kubernetes, tell)
    console.print(f"All that the lab runs is in {where.cache} after {time.monotonic() - began:.0f} s.", soft_wrap=True)
    return 0


@contextmanager
def _telling() -> Iterator[Callable[[str], None]]:
    """One line that changes on a terminal; elsewhere a line a step, with the seconds since the beginning."""
    began = time.monotonic()
    with console.status("") as shown:

        def tell(what: str) -> None:
            shown.update(what)
            if not console.is_terminal:
                print(f"{time.monotonic() - began:5.0f} s  {what}", flush=True)

        yield tell


def _up(where: Places, kubernetes: str) -> int:
    began = time.monotonic()
    with _telling() as tell:
        up(where, kubernetes, tell)
    console.print(f"The lab is up after {time.monotonic() - began:.0f} s.", highlight=False)
    console.print(f"export KUBECONFIG={where.kubeconfig}", highlight=False, soft_wrap=True)
    console.print(f"Prometheus {PROMETHEUS_URL}", highlight=False)
    console.print(f"Alertmanager {ALERTMANAGER_URL}, sending to {OPSMEND_URL}", highlight=False)
    return 0


def _down(where: Places) -> int:
    with console.status("") as shown:
        left = down(where, shown.update)
    for line in left:
        console.print(f"[red]left behind: {line}[/]", highlight=False)
    console.print("The lab is down." if not left else "The lab is down, but not everything is gone.")
    return 1 if left else 0


def _status(where: Places) -> int:
    table = Table("part", "state", "memory, MB")
    for name, state, memory in status(where):
        table.add_row(name, state, f"{memory:.0f}")
    console.print(table if table.row_count else "The lab is down.")
    return 0 if is_up(where) else 1


def _fits(where: Places) -> int:
    console.print("The lab can run here.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
