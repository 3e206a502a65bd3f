"""The post-mortem of an incident, written from its state by a template: no model, no surprise."""

from datetime import datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from opsmend.domain.call_ledger import told
from opsmend.domain.changes import distance
from opsmend.domain.diagnosis import UNKNOWN
from opsmend.domain.incident import IncidentState
from opsmend.domain.postmortem import PostMortem
from opsmend.errors import bounded


def _utc(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC") if at else "-"


def _text(value: object) -> str:
    """Foreign text on one line of markdown: no tables broken, no HTML, no links made."""
    flat = " ".join(bounded(str(value), 600).split())
    for character in "\\`|<>[]*":
        flat = flat.replace(character, f"\\{character}")
    return flat


_environment: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    undefined=StrictUndefined,
    trim_blocks=True,
    autoescape=False,  # noqa: S701 - markdown, escaped by `text`
)
_environment.filters |= {"utc": _utc, "text": _text, "distance": distance}


def write_postmortem(state: IncidentState) -> PostMortem:
    """One per incident run; `state` must be closed."""
    diagnosis = state.diagnosis
    closed_at = state.closed_at or state.opened_at
    title = f"{state.target}: {diagnosis.summary if diagnosis else state.closing}"
    done = [s for s in (state.execution.steps if state.execution else ()) if s.changed_something]
    did = {s.step_id for s in done}
    steps = [s for s in (state.plan.steps if state.plan else ()) if s.id in did]
    markdown = _environment.get_template("postmortem.md.j2").render(
        state=state,
        title=_text(title),
        diagnosis=diagnosis,
        plan=state.plan,
        record={s.step_id: s.status.value for s in (state.execution.steps if state.execution else ())},
        seconds=round((closed_at - state.opened_at).total_seconds()),
        api=told(state.calls),
        unseen=(diagnosis.unseen if diagnosis else ()) + (state.verification.unseen if state.verification else ()),
    )
    return PostMortem(
        incident_id=state.id,
        run_id=state.run_id,
        title=bounded(title, 200),
        category=diagnosis.category if diagnosis else UNKNOWN,
        target=str(state.target),
        symptoms=". ".join(
            [diagnosis.summary if diagnosis else state.closing, *dict.fromkeys(alert.summary for alert in state.alerts)]
        ),
        cause=diagnosis.summary if diagnosis else "",
        remedy="; then ".join(step.action.summary() for step in steps),
        remedy_actions=tuple(step.action.type for step in steps),
        outcome=state.outcome or "",
        opened_at=state.opened_at,
        closed_at=closed_at,
        markdown=markdown,
    )
