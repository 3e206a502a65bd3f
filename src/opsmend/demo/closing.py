"""The end of the demo: a table for people, the same as JSON for programs."""

import json
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from opsmend.console.incident_report import say
from opsmend.demo.story import Told


def closing_table(told: list[Told]) -> RenderableType:
    table = Table(title="What happened", title_justify="left", title_style="bold")
    for column in (
        "incident",
        "outcome",
        "recalled from",
        "seconds",
        "kills",
        "changes",
        "tool calls",
        "tokens",
        "approved by",
    ):
        table.add_column(column)
    for one in told:
        line = line_of(one)
        approval = one.incident.approval
        table.add_row(
            say(line["id"]),
            say(str(line["outcome"]), "green" if line["outcome"] == "remediated" else "red"),
            say(", ".join(line["recalled_from"]) or "-"),
            *(str(line[key]) for key in ("seconds", "worker_kills", "mutations", "tool_calls", "tokens")),
            say(f"{approval.by.name or approval.by.id} ({approval.by.via})" if approval else "-"),
        )
    return table


def line_of(told: Told) -> dict[str, Any]:
    """One incident of the report; `seconds` from its first alert to its end."""
    incident = told.incident
    closed_at = incident.closed_at or incident.opened_at
    return {
        "id": incident.id,
        "outcome": incident.outcome,
        "recalled_from": incident.recalled_from,
        "seconds": round((closed_at - incident.opened_at).total_seconds(), 1),
        "worker_kills": told.worker_kills,
        "mutations": told.mutations,
        "tool_calls": incident.usage.tool_calls,
        "tokens": incident.usage.input_tokens + incident.usage.output_tokens,
    }


def write_report(told: list[Told], path: Path) -> None:
    path.write_text(json.dumps({"incidents": [line_of(one) for one in told]}, indent=2) + "\n")


def what_went_wrong(told: list[Told]) -> list[str]:
    """What the demo promises and did not keep; empty when all is well."""
    wrong = []
    for one in told:
        if one.incident.outcome != "remediated":
            wrong.append(f"{one.incident.id} ended as {one.incident.outcome}: {one.incident.closing}")
        elif one.mutations != 1:
            wrong.append(f"{one.incident.id} made {one.mutations} changes instead of one")
    if told and not any(one.worker_kills for one in told):
        wrong.append("no worker was killed")
    if len(told) > 1 and not told[-1].incident.recalled_from:
        wrong.append(f"{told[-1].incident.id} recalled nothing")
    return wrong
