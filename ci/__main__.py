"""`python -m ci run | full [PART …] | check`: what must pass before a change lands (docs/ci.md).

`run` plays the core and one heavy part, and stops at the first part that fails. It checks what ci/results.json says of
the others, and of those that this machine cannot play. It records what it played there, unless something is uncommitted.
`full` plays the named parts, or all, and writes ci/results.json. Only a broken safety check ends it early.
`check` only checks ci/results.json.
"""

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NoReturn

from rich.console import Console
from rich.table import Table

from ci.history import History
from ci.parts import CORE, PARTS, Part, heavy_part, part_named
from ci.play import Played, play
from ci.results import complaints, read, record

_ALL: Final = timedelta(minutes=90)
"""Within this a whole run must end: a change whose run takes longer does not land."""

_NO_LAB: Final = 69
"""What `python -m lab fits` ends with where this machine cannot run the lab."""

console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)


def main() -> int:
    signal.signal(signal.SIGTERM, _told_to_end)
    options = _options()
    history = History()
    if options.command == "run":
        return _run(history)
    if options.command == "full":
        return _full(history, options.parts or list(PARTS))
    return _check(history)


def _told_to_end(*_: object) -> NoReturn:
    """As an exception, so that the part that plays is ended and tidied up."""
    sys.exit(128 + signal.SIGTERM)


def _run(history: History) -> int:
    began = time.monotonic()
    commit = history.head()
    heavy = heavy_part(commit)
    # Of the parts that it plays itself it will know more than the file.
    others = [part for part in PARTS if part not in (*CORE, heavy)]
    known = read().root
    for part in others:
        if part.name not in known:
            console.print(f"{part.name} has no entry yet: `make full PARTS={part.name}` makes one.", soft_wrap=True)
    if failed := _check(history, [part for part in others if part.name in known]):
        return failed
    console.print(f"the core, then {heavy.name}: the heavy part of commit {commit[:10]}", soft_wrap=True)
    played: list[Played] = []
    for part in (*CORE, heavy):
        left = _ALL.total_seconds() - (time.monotonic() - began)
        played.append(_play(part, may_replay=left > 2 * part.limit.total_seconds()))
        if _still(history, commit):
            record(played[-1], commit)
        if played[-1].outcome == "failed":
            break
    _tell(played)
    skipped = [part_named(one.part) for one in played if one.outcome == "skipped" and one.part in known]
    return int(played[-1].outcome == "failed") or _check(history, skipped)


def _full(history: History, parts: list[Part]) -> int:
    """Each entry names the commit that it ran on, so nothing may be uncommitted."""
    if changed := history.uncommitted():
        console.print(f"Commit or put away first: {', '.join(changed)}. The results name the commit that they ran on.")
        return 1
    commit = history.head()
    played = []
    for part in parts:
        played.append(_play(part))
        if not _still(history, commit):
            console.print(f"{part.name} is not recorded: meanwhile the checkout became another than {commit[:10]}.")
            return 1
        record(played[-1], commit)
        if played[-1].unsafe:
            break
    _tell(played)
    console.print("What was played stands in ci/results.json. Commit that by itself.")
    return int(any(one.outcome == "failed" for one in played))


def _still(history: History, commit: str) -> bool:
    """Whether what is checked out is `commit` and nothing else. A part takes long, and somebody may go on working."""
    return history.head() == commit and not history.uncommitted()


def _check(history: History, parts: Sequence[Part] = PARTS) -> int:
    if history.is_shallow():
        console.print("This clone is shallow, so the age of entries in ci/results.json cannot be told. Only failures count.")
    found = complaints(read(), [part.name for part in parts], history)
    for complaint in found:
        console.print(complaint, soft_wrap=True)
    return int(bool(found))


def _play(part: Part, *, may_replay: bool = True) -> Played:
    if part.needs_lab and _no_lab_here():
        return Played(part.name, "skipped", 0, "this machine cannot run the lab")
    return play(part, may_replay=may_replay)


def _no_lab_here() -> bool:
    """It says why itself."""
    return subprocess.run([sys.executable, "-m", "lab", "fits"], check=False).returncode == _NO_LAB


def _tell(played: list[Played]) -> None:
    table = Table("part", "outcome", "minutes", "", title="CI")
    for one in played:
        table.add_row(one.part, one.outcome, f"{one.seconds / 60:.1f}", one.why)
    table.add_row("all", "", f"{sum(one.seconds for one in played) / 60:.1f}", "")
    console.print(table)
    flaky = [name for one in played for name in one.flaky]
    console.print(f"flaky: {', '.join(flaky)}" if flaky else "Nothing was flaky.", soft_wrap=True)


def _part(name: str) -> Part:
    try:
        return part_named(name)
    except KeyError:
        names = " ".join(part.name for part in PARTS)
        raise argparse.ArgumentTypeError(f"there is no part {name!r}. There are: {names}") from None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ci", description="What must pass before a change lands (docs/ci.md).")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="the core and one heavy part, as .ci/run does")
    full = commands.add_parser("full", help="the named parts, or all; writes ci/results.json")
    full.add_argument("parts", nargs="*", metavar="PART", type=_part, help=f"of {', '.join(part.name for part in PARTS)}")
    commands.add_parser("check", help="whether ci/results.json is complete, recent and without a failure")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
