"""`make storms`: a hundred targets suffer from one cause, twenty others from something else. Who is asked, and how often?

    python -m tests.storms [--only TEXT] [--targets N] [--out FILE]

Ends with 'N passed, N failed' and exits with 1 if any failed. Logs of failed cases stay in .opsmend/storms/.
"""

import argparse
import asyncio
import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

import httpx
from rich.console import Console
from rich.table import Table

from opsmend.errors import OpsmendError
from tests.integration.outside.waiting import NotInTimeError
from tests.storms.causes import CAUSES, Cause
from tests.storms.storm import played
from tests.storms.verdict import Verdict, judged
from tests.tally import Tally, failed

FOLDER: Final = Path(".opsmend/storms").resolve()

console = Console(width=None if sys.stdout.isatty() else 140)


async def main() -> int:
    options = _options()
    causes = {cause.name: cause for cause in CAUSES if options.only in cause.name}
    if not causes:
        console.print(f"No storm has {options.only!r} in its name. There are {', '.join(cause.name for cause in CAUSES)}.")
        return 1
    shutil.rmtree(FOLDER, ignore_errors=True)
    tally: Tally[Verdict] = Tally(_tell)
    for cause in causes.values():
        if not tally.is_unsafe:
            tally.take(await verdict_on(FOLDER, cause, options.targets))
    for name in tally.to_play_again():
        tally.take(await verdict_on(FOLDER, causes[name], options.targets))
    console.print(_table(tally.verdicts, options.targets))
    if options.out:
        told = [asdict(verdict) | {"targets": options.targets} for verdict in tally.verdicts]
        options.out.write_text(json.dumps(told, indent=2) + "\n")
    print("\n".join(tally.closing_lines()))
    return 1 if tally.failures else 0


async def verdict_on(folder: Path, cause: Cause, targets: int) -> Verdict:
    """One storm, in a folder of its own that stays if it failed."""
    own = folder / cause.name
    shutil.rmtree(own, ignore_errors=True)
    try:
        verdict = judged(cause.name, await played(own, cause, targets))
    except NotInTimeError as e:
        return Verdict(cause.name, late=[str(e)])
    except (OpsmendError, AssertionError, httpx.HTTPError) as e:
        return Verdict(cause.name, wrong=[f"{type(e).__name__}: {e}"])
    if not failed(verdict):
        shutil.rmtree(own, ignore_errors=True)
    return verdict


def _tell(verdict: Verdict) -> None:
    word = "[red]failed[/]" if failed(verdict) else "[green]passed[/]"
    console.print(f"{word} {verdict.name}" + "".join(f"\n       {why}" for why in _reasons(verdict)), highlight=False)


def _reasons(verdict: Verdict) -> list[str]:
    return [*verdict.unsafe, *verdict.wrong, *(f"too late: {late}" for late in verdict.late)]


def _table(verdicts: list[Verdict], targets: int) -> Table:
    table = Table(
        *("cause", "grouped", "questions", "phones buzzed", "calls of a member", "calls of all", "seconds", ""),
        title=f"{targets} targets of one cause, 20 other faults",
    )
    for v in verdicts:
        numbers = (v.grouped, v.questions, v.notified, v.most_calls, v.calls, round(v.seconds))
        table.add_row(v.name, *map(str, numbers), "; ".join(_reasons(v)) or "as it should be")
    return table


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.storms", description=__doc__)
    parser.add_argument("--only", default="", help="play only the causes whose name contains this")
    parser.add_argument("--targets", type=int, default=100, help="how many suffer from the cause")
    parser.add_argument("--out", type=Path, help="where to write the numbers as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
