"""Why opsmend did what it did, from the incident's state alone: what carried the belief, where each number comes from,
what was refused and by whom, who let it run."""

import re
from typing import Final

from pydantic import BaseModel

from opsmend.api.incident_view import (
    ActionView,
    AlternativeView,
    ApprovalView,
    ChangeView,
    DiagnosisView,
    EvidenceView,
    IncidentView,
    StepView,
    VerdictView,
    VerificationView,
    action_view,
    incident_view,
)
from opsmend.domain.diagnosis import Diagnosis
from opsmend.domain.incident import IncidentState
from opsmend.domain.plan import PlannedStep

_EVIDENCE_ID: Final = re.compile(r"\be\d+\b")


class ValueReason(BaseModel):
    """One value of an action and what speaks for it."""

    field: str
    value: str
    because: str


class StepReason(BaseModel):
    """Why this action with these values."""

    action: ActionView
    values: list[ValueReason]
    evidence: list[EvidenceView]
    """The evidence that the reason cites."""


class Explanation(BaseModel):
    """The answer to 'why', in the order of the questions."""

    id: str
    run_id: str
    status: str
    outcome: str | None
    closing: str
    believed: DiagnosisView | None
    """What was wrong, by which rule or prompt version, on which evidence, and what was ruled out."""
    changed: list[ChangeView]
    """What was changed around the target, before the trouble began and after."""
    began_note: str
    plan_hash: str | None
    chosen: list[StepReason]
    refused: list[AlternativeView]
    """Plans that were considered and not chosen."""
    recalled_from: list[str]
    judged: VerdictView | None
    """Security's findings, and the policies that decided by name."""
    decided: ApprovalView | None
    done: list[StepView]
    undone: list[StepView]
    verified: VerificationView | None


def explanation(state: IncidentState) -> Explanation:
    """What `GET /v1/incidents/{id}/explain` answers."""
    view: IncidentView = incident_view(state, "")
    return Explanation(
        id=view.id,
        run_id=view.run_id,
        status=view.status,
        outcome=view.outcome,
        closing=view.closing,
        believed=view.diagnosis,
        changed=view.changes,
        began_note=view.began_note,
        plan_hash=view.plan.hash if view.plan else None,
        chosen=[_step_reason(step, state.diagnosis) for step in state.plan.steps] if state.plan else [],
        refused=view.plan.alternatives if view.plan else [],
        recalled_from=view.recalled_from,
        judged=view.verdict,
        decided=view.approval,
        done=view.execution,
        undone=view.undo,
        verified=view.verification,
    )


def _step_reason(step: PlannedStep, diagnosis: Diagnosis | None) -> StepReason:
    action = action_view(step)
    supported = _supported_values(diagnosis, step)
    values = [
        ValueReason(field=field, value=str(value), because=supported.get(str(value), step.reason))
        for field, value in action.parameters.items()
        if value is not None
    ]
    said = " ".join([step.reason, *supported.values()])
    return StepReason(action=action, values=values, evidence=_cited(said, diagnosis))


def _supported_values(diagnosis: Diagnosis | None, step: PlannedStep) -> dict[str, str]:
    """Value -> the reason of the detector that derived it, for the hints about the object of this step."""
    hints = [hint for hint in diagnosis.hints if hint.object == step.action.target] if diagnosis else []
    return {
        str(value): hint.reason
        for hint in reversed(hints)
        for field, value in hint.model_dump(mode="json", exclude_none=True).items()
        if field not in ("object", "reason", "remedy")
    }


def _cited(said: str, diagnosis: Diagnosis | None) -> list[EvidenceView]:
    ids = set(_EVIDENCE_ID.findall(said))
    found = [e for e in diagnosis.evidence if e.id in ids] if diagnosis else []
    return [EvidenceView(id=e.id, source=e.source, excerpt=e.excerpt) for e in found]
