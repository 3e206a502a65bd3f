"""The parts of CI. `CORE` runs for each change, with one of `HEAVY`; `make full` runs all."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True)
class Part:
    """`targets` are make targets with their arguments, in order. `cleanup` runs after them, however they end."""

    name: str
    targets: tuple[tuple[str, ...], ...]
    limit: timedelta
    """After this the part is killed. It is a safety net for a part that hangs, twice to five times what was measured,
    and not the allowance of docs/ci.md."""
    needs_lab: bool = False
    """Whether it needs a machine that can run a Kubernetes node (`python -m lab fits`). It is skipped elsewhere."""
    cleanup: tuple[str, ...] = ()


def _minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


_CORE_DRILLS: Final = (
    "bad-rollout",
    "bad-fix",
    "config-edited-in-place",
    "service-selector",
    "dependency-down",
    "out-of-memory",
    "autoscaler-at-maximum",
    "edited-meanwhile",
    "gitops-reverts",
    "node-killed-mid-fix",
    "node-storm",
    "prometheus-down",
)
"""A dozen that together use every kind of action and every way in which an incident can end."""

_OLDER_DRILLS: Final = (
    "bad-",
    "config-edited",
    "service-",
    "out-of-memory",
    "unschedulable",
    "autoscaler",
    "stateful-set",
    "job-failed",
    "gitops",
)
"""On the older Kubernetes: reads, changes, undoes and grants, where versions differ."""

OLDER: Final = "1.31"
"""The oldest Kubernetes that the lab can be (lab/binaries.py)."""

_LAB_DOWN: Final = ("lab-down",)

CORE: Final = (
    Part("tests", (("test",),), _minutes(30)),
    Part("end-to-end", (("end-to-end",),), _minutes(25)),
    Part("demo", (("demo", "ARGS=--yes"),), _minutes(5)),
    Part("chaos", (("chaos",),), _minutes(25)),
    Part("builds", (("lab-build",),), _minutes(35), needs_lab=True),
    Part(
        "drills-core",
        (("lab-up",), ("drills", f"ARGS=--only {' '.join(_CORE_DRILLS)}")),
        _minutes(20),
        needs_lab=True,
        cleanup=_LAB_DOWN,
    ),
)

HEAVY: Final = (
    Part(
        "drills",
        (("lab-up",), ("drills",), ("lab-contract", "ARGS=-q"), ("lab-crash",)),
        _minutes(40),
        needs_lab=True,
        cleanup=_LAB_DOWN,
    ),
    Part(
        "older-kubernetes",
        (
            ("lab-up", f"ARGS=--kubernetes {OLDER}"),
            ("drills", f"ARGS=--only {' '.join(_OLDER_DRILLS)}"),
            ("lab-contract", "ARGS=-q"),
        ),
        _minutes(35),
        needs_lab=True,
        cleanup=_LAB_DOWN,
    ),
    Part("storms", (("storms",),), _minutes(25)),
)

PARTS: Final = (*CORE, *HEAVY)


def heavy_part(commit: str) -> Part:
    """The heavy part that is run for `commit` (its hash in hex): each commit always has the same one."""
    return HEAVY[int(commit, 16) % len(HEAVY)]


def part_named(name: str) -> Part:
    """Raises KeyError."""
    return {part.name: part for part in PARTS}[name]
