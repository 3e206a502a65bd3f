"""How a drill went: a line of the table and an entry of lab/results.json."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from rich.table import Table

Json = dict[str, Any]


@dataclass
class Verdict:
    """`seconds` are those of each phase. `wrong`, `late` and `unsafe` say in sentences what speaks against it (tests.tally)."""

    drill: str
    detected: bool = False
    right_cause: bool = False
    right_action: bool = False
    outcome: str = "-"
    healed: bool = False
    collateral: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    api_calls: int = 0
    api_bytes: int = 0
    wrong: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    unsafe: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.drill

    @property
    def reasons(self) -> list[str]:
        return [*self.unsafe, *self.wrong, *(f"too late: {late}" for late in self.late)]

    def as_json(self) -> Json:
        return asdict(self)


def phases(fault: datetime, active: datetime | None, incident: Json, resolved: datetime | None) -> dict[str, float]:
    """From the fault to the alert that is gone again, each phase from the end of the one before it.

    Another may have told opsmend before Prometheus' alert was active.
    """
    at = {entry["event"]: datetime.fromisoformat(entry["at"]) for entry in reversed(incident["timeline"])}
    opened = datetime.fromisoformat(incident["timeline"][0]["at"])
    marks = {
        "to_active": active,
        "to_incident": opened,
        "to_plan": at.get("plan.proposed"),
        "to_approval": at.get("plan.approve"),
        "to_executed": at.get("plan.executed"),
        "to_closed": at.get("incident.closed"),
        "to_resolved": resolved,
    }
    found, last = {}, fault
    if active and opened < active:
        marks = {name: moment for name, moment in marks.items() if name != "to_active"}
    for name, moment in marks.items():
        if moment is not None:
            found[name] = round((moment - last).total_seconds(), 1)
            last = moment
    return found | {"total": round((last - fault).total_seconds(), 1)}


def table(verdicts: list[Verdict]) -> Table:
    drawn = Table(title="Drills")
    for column in ("drill", "detected", "cause", "action", "outcome", "healed", "collateral", "seconds by phase", "calls", ""):
        drawn.add_column(column)
    for v in verdicts:
        ticks = ["yes" if value else "[red]no[/]" for value in (v.detected, v.right_cause, v.right_action)]
        seconds = " ".join(f"{name.removeprefix('to_')} {value:g}" for name, value in v.seconds.items())
        drawn.add_row(
            v.drill, *ticks, v.outcome, "yes" if v.healed else "[red]no[/]", ", ".join(v.collateral) or "none", seconds,
            str(v.api_calls), "; ".join(v.reasons),
        )  # fmt: skip
    return drawn
