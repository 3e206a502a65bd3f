"""An incident as other people's programs see it: the stable contract, apart from our own models, which may change.

Fields may be added; those that are here keep name and meaning.
"""

from datetime import datetime

from pydantic import BaseModel

from opsmend.api.backlog import BacklogView
from opsmend.domain.actions.action import Action
from opsmend.domain.changes import RecentChange, distance
from opsmend.domain.diagnosis import Diagnosis
from opsmend.domain.execution import ExecutionRecord
from opsmend.domain.incident import IncidentState
from opsmend.domain.plan import Plan, PlannedStep
from opsmend.domain.ports.desk import IncidentRow
from opsmend.domain.record import JsonObject
from opsmend.domain.target import ObjectRef
from opsmend.domain.verdict import Autonomy, SecurityVerdict
from opsmend.domain.verification import Verification


class ObjectView(BaseModel):
    kind: str
    namespace: str
    name: str


class TargetView(ObjectView):
    cluster: str
    pod: str | None = None


class AlertView(BaseModel):
    source: str
    name: str
    status: str
    severity: str
    fingerprint: str
    starts_at: datetime | None
    """Null where the sender does not tell when it began."""
    summary: str


class EvidenceView(BaseModel):
    id: str
    source: str
    excerpt: str


class RuledOutView(BaseModel):
    what: str
    why: str


class RecalledView(BaseModel):
    """An earlier incident that memory brought up; `score` is the cosine similarity."""

    incident_id: str
    run_id: str
    category: str
    summary: str
    remedy: str
    outcome: str
    score: float


class DiagnosisView(BaseModel):
    summary: str
    category: str
    resource: ObjectView
    confidence: float
    evidence: list[EvidenceView]
    tier: str
    rule: str
    ruled_out: list[RuledOutView]
    recalled: list[RecalledView]
    unseen: list[str]
    """What could not be looked at, and why."""


class BlastRadiusView(BaseModel):
    pods: int
    interrupts: bool
    objects: list[ObjectView]
    summary: str


class InverseView(BaseModel):
    type: str
    summary: str


class ActionView(BaseModel):
    type: str
    target: ObjectView
    summary: str
    diff: str
    step: str
    reason: str
    parameters: JsonObject
    """The action's own fields: revision, replicas, image…"""
    inverse: InverseView
    blast_radius: BlastRadiusView


class ChangeView(BaseModel):
    """Something that was changed around the target; every name in it was given by whoever made the change."""

    at: datetime
    when: str
    """`4 min 10 s before` the trouble began, or after."""
    seconds_before: float
    """Before the trouble began; negative for what came after."""
    object: ObjectView
    what: str
    fields: list[str]
    by: str
    """The field manager, empty where none is known."""
    author: str
    """`somebody` (a person or a pipeline), `kubernetes` by itself, or `opsmend`, as far as the manager's name tells."""


class AlternativeView(BaseModel):
    summary: str
    refused_because: str


class PlanView(BaseModel):
    hash: str
    actions: list[ActionView]
    requires_approval: bool
    """False only once the policy said that it may run by itself."""
    summary: str
    attempt: int
    alternatives: list[AlternativeView]
    cites: list[str]


class SecurityFindingView(BaseModel):
    check: str
    severity: str
    text: str


class PolicyView(BaseModel):
    autonomy: str
    policies: list[str]
    reason: str


class VerdictView(BaseModel):
    plan_hash: str
    passed: bool
    findings: list[SecurityFindingView]
    policy: PolicyView


class PersonView(BaseModel):
    via: str
    id: str
    name: str


class ApprovalView(BaseModel):
    plan_hash: str
    decision: str
    by: PersonView
    reason: str
    at: datetime


class StepView(BaseModel):
    step: str
    action: str
    status: str
    detail: str
    at: datetime


class VerificationView(BaseModel):
    health: str
    summary: str
    checks: int
    worse_than_baseline: bool
    alert_recovered: bool | None
    unseen: list[str]
    reverted: list[str]
    """Steps of the plan that somebody took back; the summary says who."""


class TimelineView(BaseModel):
    at: datetime
    event: str
    detail: str


class UsageView(BaseModel):
    input_tokens: int
    output_tokens: int
    cost_usd: float
    tool_calls: int
    api_calls: int
    """Those of the tool calls that went to the Kubernetes API; `ledger` has them one by one."""
    api_bytes: int


class CountedCallView(BaseModel):
    """One kind of call, keyed as in an audit log of the API server."""

    verb: str
    resource: str
    namespace: str
    name: str
    dry_run: bool
    times: int


class LedgerView(BaseModel):
    """What one agent asked of the Kubernetes API. `calls` and `bytes` count all; `counted` may leave rare kinds out."""

    calls: int
    bytes: int
    counted: list[CountedCallView]


class IncidentView(BaseModel):
    id: str
    run_id: str
    status: str
    outcome: str | None
    target: TargetView
    opened_at: datetime
    closed_at: datetime | None
    closing: str
    alerts: list[AlertView]
    alerts_received: int
    alerts_left_out: int
    """How many alerts of the same group the sender says that it left out, of this target or of others."""
    diagnosis: DiagnosisView | None
    changes: list[ChangeView]
    """What was changed around the target: before the trouble began, newest first, then what came after."""
    began_at: datetime | None
    """When the trouble began: the start of the first alert, or what the cluster shows where that cannot be true."""
    began_note: str
    """Why it is not the start of the first alert; empty where it is."""
    plan: PlanView | None
    verdict: VerdictView | None
    approval: ApprovalView | None
    execution: list[StepView]
    undo: list[StepView]
    verification: VerificationView | None
    recalled_from: list[str]
    """Ids of the earlier incidents that the plan or the diagnosis leans on."""
    timeline: list[TimelineView]
    usage: UsageView
    ledger: dict[str, LedgerView]
    """Agent -> its calls."""
    postmortem: str | None
    """Markdown."""
    temporal_ui: str


class IncidentRowView(BaseModel):
    id: str
    run_id: str
    status: str
    outcome: str | None
    opened_at: str
    summary: str
    temporal_ui: str


class IncidentList(BaseModel):
    incidents: list[IncidentRowView]
    next_cursor: str | None = None
    """What `cursor` must be to get the incidents after these; null where there are none."""
    backlog: BacklogView | None = None
    """Incidents that wait to be looked into; null while none has waited for more than a moment."""


def incident_view(state: IncidentState, temporal_ui: str) -> IncidentView:
    """What `GET /v1/incidents/{id}` answers."""
    return IncidentView(
        id=state.id,
        run_id=state.run_id,
        status=state.status,
        outcome=state.outcome,
        target=TargetView(**state.target.model_dump(mode="json")),
        opened_at=state.opened_at,
        closed_at=state.closed_at,
        closing=state.closing,
        alerts=[AlertView(summary=a.summary, **a.model_dump(include=_ALERT_FIELDS)) for a in state.alerts],
        alerts_received=state.alerts_received,
        alerts_left_out=state.alerts_left_out,
        diagnosis=_diagnosis(state.diagnosis) if state.diagnosis else None,
        changes=_changes(state.diagnosis) if state.diagnosis else [],
        began_at=state.diagnosis.began_at if state.diagnosis else None,
        began_note=state.diagnosis.began_note if state.diagnosis else "",
        plan=_plan(state.plan, state.verdict) if state.plan else None,
        verdict=VerdictView.model_validate(state.verdict.model_dump(mode="json")) if state.verdict else None,
        approval=ApprovalView.model_validate(state.approval.model_dump(mode="json")) if state.approval else None,
        execution=steps_done(state.execution),
        undo=steps_done(state.undo),
        verification=_verification(state.verification) if state.verification else None,
        recalled_from=recalled_from(state),
        timeline=[TimelineView(**entry.model_dump()) for entry in state.timeline],
        usage=UsageView(**state.usage.model_dump()),
        ledger={agent: LedgerView.model_validate(calls.model_dump()) for agent, calls in state.calls.items()},
        postmortem=state.postmortem.markdown if state.postmortem else None,
        temporal_ui=temporal_ui,
    )


_ALERT_FIELDS = {"source", "name", "status", "severity", "fingerprint", "starts_at"}


def row_view(row: IncidentRow, temporal_ui: str) -> IncidentRowView:
    """A line of `GET /v1/incidents`."""
    return IncidentRowView(temporal_ui=temporal_ui, **row.model_dump(mode="json"))


def recalled_from(state: IncidentState) -> list[str]:
    """Ids of earlier incidents: those that the plan cites (as `id/run id`), else those that memory offered. Each once."""
    cited = [cited.partition("/")[0] for cited in state.plan.cites] if state.plan else []
    offered = [r.incident_id for r in state.diagnosis.recalled] if state.diagnosis else []
    return list(dict.fromkeys(cited or offered))


def steps_done(record: ExecutionRecord | None) -> list[StepView]:
    steps = record.steps if record else ()
    return [StepView(step=s.step_id, action=s.action, status=s.status, detail=s.detail, at=s.at) for s in steps]


def _object(ref: ObjectRef) -> ObjectView:
    return ObjectView(kind=ref.kind, namespace=ref.namespace, name=ref.name)


def _diagnosis(diagnosis: Diagnosis) -> DiagnosisView:
    return DiagnosisView.model_validate(diagnosis.model_dump(mode="json"))


def _changes(diagnosis: Diagnosis) -> list[ChangeView]:
    began = diagnosis.began_at
    return [_change(change, began) for change in diagnosis.changes] if began else []


def _change(change: RecentChange, began: datetime) -> ChangeView:
    return ChangeView(
        when=distance(change.at, began),
        seconds_before=(began - change.at).total_seconds(),
        object=_object(change.object),
        **change.model_dump(exclude={"object"}),
    )


def _plan(plan: Plan, verdict: SecurityVerdict | None) -> PlanView:
    may_run_alone = verdict is not None and verdict.passed and verdict.policy.autonomy is Autonomy.AUTO
    return PlanView(
        hash=plan.hash,
        actions=[action_view(step) for step in plan.steps],
        requires_approval=not may_run_alone,
        summary=plan.summary,
        attempt=plan.attempt,
        alternatives=[AlternativeView(**alternative.model_dump()) for alternative in plan.alternatives],
        cites=list(plan.cites),
    )


def action_view(step: PlannedStep) -> ActionView:
    """A planned step, with all that a person needs to judge it."""
    action: Action = step.action
    inverse: Action = step.inverse
    blast = step.blast_radius
    return ActionView(
        type=step.action.type,
        target=_object(action.target),
        summary=action.summary(),
        diff=step.diff,
        step=step.id,
        reason=step.reason,
        parameters=action.parameters(),
        inverse=InverseView(type=step.inverse.type, summary=inverse.summary()),
        blast_radius=BlastRadiusView(
            pods=blast.pods, interrupts=blast.interrupts, objects=[_object(ref) for ref in blast.objects], summary=str(blast)
        ),
    )


def _verification(verification: Verification) -> VerificationView:
    return VerificationView(
        health=verification.health,
        summary=verification.summary,
        checks=len(verification.checks),
        worse_than_baseline=verification.worse_than_baseline,
        alert_recovered=verification.alert_recovered,
        unseen=list(verification.unseen),
        reverted=list(verification.reverted),
    )
