"""`python -m bench [--quick] [--only PHASE] [--out FILE]`: measure, show one table, write the results."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import psutil
from rich.console import Console

from bench.alerts import Storm
from bench.causes import RECORDED, rows_of_causes
from bench.drills import rows_of_drills
from bench.intake import Sizes, measure_intake
from bench.lives import measure_lives
from bench.order import measure_order
from bench.results import Row, as_table, write_results
from bench.storm import measure_storm
from bench.waiting import measure_waiting

RESULTS: Final = Path(__file__).parent / "results.json"


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    intake: Sizes
    storm: Storm
    lives: int
    waiting: int
    backlog: int
    critical: int


FULL: Final = Scale(Sizes(rounds=6, new=400, open=1200), Storm(targets=1000, alerts_each=10), 100, 1000, 3000, 60)
QUICK: Final = Scale(Sizes(rounds=2, new=200, open=500), Storm(targets=100, alerts_each=10), 10, 50, 100, 10)

Phase = Callable[[Path, Scale], Awaitable[tuple[list[Row], list[str]]]]


async def of_drills(folder: Path, scale: Scale) -> tuple[list[Row], list[str]]:
    return rows_of_drills(), ["Six rows are of the last `make drills`, on a real cluster."]


async def of_causes(folder: Path, scale: Scale) -> tuple[list[Row], list[str]]:
    if not RECORDED.exists():
        return [], ["causes: no storm of a thousand targets has been recorded; bench/README.md says how."]
    return rows_of_causes(), ["The last rows are of the last `make storms` with a thousand targets."]


PHASES: Final[dict[str, Phase]] = {
    "intake": lambda folder, scale: measure_intake(folder, scale.intake),
    "lives": lambda folder, scale: measure_lives(folder, scale.lives),
    "storm": lambda folder, scale: measure_storm(folder, scale.storm),
    "waiting": lambda folder, scale: measure_waiting(folder, scale.waiting),
    "order": lambda folder, scale: measure_order(folder, scale.backlog, scale.critical),
    "drills": of_drills,
    "causes": of_causes,
}


async def measure(phases: list[str], scale: Scale, console: Console) -> list[Row]:
    """Each phase with a Temporal server and a folder of its own."""
    rows: list[Row] = []
    with TemporaryDirectory(prefix="opsmend-bench-") as folder:
        for name in phases:
            began = perf_counter()
            with console.status(f"measuring {name}"):
                measured, told = await PHASES[name](Path(folder) / name, scale)
            rows += measured
            for line in told:
                console.print(line, highlight=False, soft_wrap=True)
            console.print(f"[dim]{name}: {perf_counter() - began:.0f} s[/dim]", highlight=False)
    return rows


def main() -> int:
    """1 when an aim was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="opsmend beside bare Temporal")
    parser.add_argument(
        "--quick", action="store_true", help="small numbers, two minutes or less; nothing is written unless --out is given"
    )
    parser.add_argument("--only", choices=PHASES, help="one phase; nothing is written unless --out is given")
    parser.add_argument("--out", type=Path, help="where to write the results (default: bench/results.json for a full run)")
    asked = parser.parse_args()
    console = Console()
    phases = [asked.only] if asked.only else list(PHASES)
    rows = asyncio.run(measure(phases, QUICK if asked.quick else FULL, console))
    console.print(as_table(rows, title=f"opsmend beside bare Temporal, {psutil.cpu_count()} cores"))
    out = asked.out or (None if asked.quick or asked.only else RESULTS)
    if out:
        write_results(rows, out)
    missed = [row.missed for row in rows if row.missed]
    for sentence in missed:
        console.print(f"[red]aim missed:[/red] {sentence}", highlight=False)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
