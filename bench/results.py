"""What was measured: rows, one table, one file."""

import json
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any, Final, Literal, NamedTuple

from rich.table import Table

Sign = Literal["≥", "≤", "<", "="]

_HOLDS: Final[dict[Sign, Callable[[float, float], bool]]] = {
    "≥": operator.ge,
    "≤": operator.le,
    "<": operator.lt,
    "=": operator.eq,
}


class Aim(NamedTuple):
    """Of the ratio where there is a bare side, else of opsmend's own number."""

    sign: Sign
    number: float

    def __str__(self) -> str:
        return f"{self.sign} {self.number:,g}"


@dataclass(frozen=True)
class Row:
    """One measurement. `bare` is None where plain Temporal has nothing to compare with; `aim` is shown, not stored."""

    name: str
    unit: str
    opsmend: float
    bare: float | None = None
    aim: Aim | None = None

    @property
    def ratio(self) -> float | None:
        """opsmend / bare."""
        return self.opsmend / self.bare if self.bare else None

    @property
    def missed(self) -> str:
        """What was aimed at and what came, as a sentence; empty when the aim is met or there is none."""
        came = self.opsmend if self.ratio is None else self.ratio
        if self.aim is None or _HOLDS[self.aim.sign](came, self.aim.number):
            return ""
        return f"{self.name} should be {self.aim}, but is {came:,.4g}"

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "opsmend": _short(self.opsmend),
            "bare": _short(self.bare),
            "ratio": _short(self.ratio, 3),
        }


def percentile(values: Sequence[float], percent: int) -> float:
    """The `percent`-th of 100 quantiles (1 to 99), interpolated. Needs two values."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def write_results(rows: Iterable[Row], path: Path) -> None:
    path.write_text(json.dumps([row.as_json() for row in rows], indent=2) + "\n")


def as_table(rows: Iterable[Row], title: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("measured")
    for column in ("opsmend", "bare Temporal", "ratio"):
        table.add_column(column, justify="right")
    table.add_column("unit")
    table.add_column("aim")
    for row in rows:
        aim = f"[red]{row.aim}, missed" if row.missed else str(row.aim or "")
        table.add_row(row.name, _shown(row.opsmend), _shown(row.bare), _shown(row.ratio), row.unit, aim)
    return table


def _short(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)


def _shown(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:,.2f}"
