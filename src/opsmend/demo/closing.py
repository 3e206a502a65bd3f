"""The end of the demo: a table for people, the same as JSON for programs."""

import json
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from opsmend.console.layout import counted, fact, say, section, whole
from opsmend.demo.story import Told


def closing_report(told: list[Told]) -> RenderableType:
    return section("What happened", *(part for one in told for part in _told(one)))


def _told(one: Told) -> list[RenderableType]:
    line, approval = line_of(one), one.incident.approval
    answered = f"{approval.by.name or approval.by.id} ({approval.by.via})" if approval else "nobody"
    word = "approved by" if approval is None or approval.decision == "approve" else "rejected by"
    done = f"{line['seconds']} s, {counted(line['worker_kills'], 'worker')} killed, {counted(line['mutations'], 'change')}"
    spent = f"{counted(line['tool_calls'], 'tool call')}, {counted(line['tokens'], 'token')}"
    return [
        whole(line["id"], "bold"),
        fact(
            "outcome", say(one.incident.outcome or one.incident.status, "green" if line["outcome"] == "remediated" else "red")
        ),
        fact("took", say(f"{done}, {spent}")),
        fact(word, say(answered)),
        *([fact("recalled", whole(", ".join(line["recalled_from"])))] if line["recalled_from"] else []),
        fact("Temporal", whole(one.incident.temporal_ui, "blue")),
    ]


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
    """What the demo promises and did not keep; empty when all is well. It promises nothing to who says no."""
    wrong: list[str] = []
    if told and told[-1].rejected:
        return wrong
    for one in told:
        if one.incident.outcome != "remediated":
            wrong.append(f"{one.incident.id} ended as {one.incident.outcome or one.incident.status}: {one.incident.closing}")
        elif one.mutations != 1:
            wrong.append(f"{one.incident.id} made {one.mutations} changes instead of one")
    if told and not any(one.worker_kills for one in told):
        wrong.append("no worker was killed")
    if len(told) > 1 and not told[-1].incident.recalled_from:
        wrong.append(f"{told[-1].incident.id} recalled nothing")
    return wrong
