"""What the last storms of a thousand targets came to: how many questions and calls one cause is, and how soon all is told."""

import json
from pathlib import Path
from typing import Any, Final

from bench.results import Aim, Row

RECORDED: Final = Path(__file__).parent / "causes.json"
"""Written by `make storms ARGS='--targets 1000 --out bench/causes.json'`."""


def rows_of_causes(recorded: Path = RECORDED) -> list[Row]:
    """For each cause: questions about it, calls to the Kubernetes API of an incident that came once it was known, seconds."""
    storms: list[dict[str, Any]] = json.loads(recorded.read_text())
    return [row for storm in storms for row in _rows(storm)]


def _rows(storm: dict[str, Any]) -> list[Row]:
    name = f"cause_{storm['name'].replace('-', '_')}"
    return [
        Row(f"{name}_grouped", "incidents", storm["grouped"], aim=Aim("≥", storm["targets"] - 1)),
        Row(f"{name}_questions", "questions", storm["questions"], aim=Aim("≤", 1)),
        Row(f"{name}_member_calls", "calls", storm["most_calls"], aim=Aim("≤", 2)),
        Row(f"{name}_told", "s", storm["seconds"]),
    ]
