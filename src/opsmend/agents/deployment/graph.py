"""Deployment's graph: for each step rehearse (gate, dry run, diff) → apply → check. The first step that fails ends it.

What a verification reads right afterwards anyway, it alone reads back: the last step of a plan, but never one of an undoing.

A step's compensation is registered by `rehearse`, before `apply` is even scheduled, so that whatever happens to the worker
in between, the incident knows what may have to be undone.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph

from opsmend.agents.node import activity_node, add_calls, add_usage, spent
from opsmend.agents.patience import MUTATE, READ
from opsmend.agents.queues import DEPLOYMENT
from opsmend.agents.seen import seen_revisions
from opsmend.domain.agent_tasks import ExecutionRequest
from opsmend.domain.change_control import ChangeLimits, ChangeReservation
from opsmend.domain.execution import StepRecord, StepStatus
from opsmend.domain.plan import PlannedStep
from opsmend.domain.ports.artifacts import Artifacts
from opsmend.domain.ports.change_control import ChangeControl
from opsmend.domain.ports.cluster import ClusterReader, ClusterWriter
from opsmend.domain.ports.judge import Judge
from opsmend.domain.record import JsonObject
from opsmend.errors import (
    ChangeControlLostError,
    HumanNeededError,
    OtherClusterError,
    PermanentError,
    PlanStaleError,
    TargetGoneError,
)
from opsmend.policy.gate import check_gate


class DeploymentState(TypedDict, total=False):
    """`execute` is an ExecutionRequest, `done` the StepRecords so far, `compensations` the ids of steps that were begun."""

    execute: JsonObject
    done: Annotated[list[JsonObject], lambda done, more: [*done, *more]]
    compensations: Annotated[list[str], lambda begun, more: [*begun, *more]]
    usage: Annotated[JsonObject, add_usage]
    calls: Annotated[JsonObject, add_calls]


class NextStep(TypedDict, total=False):
    execute: JsonObject
    done: list[JsonObject]


class DeploymentAgent:
    """The nodes. Each takes and returns plain JSON, because it crosses Temporal."""

    def __init__(
        self,
        reader: ClusterReader,
        writer: ClusterWriter,
        judge: Judge,
        artifacts: Artifacts,
        control: ChangeControl,
        limits: ChangeLimits,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._judge = judge
        self._artifacts = artifacts
        self._control = control
        self._limits = limits

    async def rehearse(self, state: NextStep) -> dict[str, Any]:
        """Pass the gate and send the change as a dry run; register the compensation. Changes nothing, so twice is harmless."""
        request = ExecutionRequest.model_validate(state["execute"])
        step = request.approved.steps[_position(state)]
        refused = self._refused(request, step)
        if refused:
            return _ended(step, StepStatus.REFUSED, refused)
        if not request.approved.undo:
            revisions = await seen_revisions(self._artifacts, request.snapshot, step.action)
            try:
                rehearsal = await self._writer.dry_run(step, request.approved.marker(step.id), revisions)
            except PlanStaleError as e:
                return _ended(step, StepStatus.STALE, str(e))
            except TargetGoneError as e:
                return _ended(step, StepStatus.STALE, str(e))
            except (PermanentError, HumanNeededError) as e:
                return _ended(step, StepStatus.FAILED, f"dry run: {e}", e)
            if not rehearsal.matches_plan:
                return _ended(
                    step,
                    StepStatus.STALE,
                    "the server would store something else than the approved diff shows; nothing was changed",
                )
        return {"compensations": [step.id], **spent()}

    async def apply(self, state: NextStep) -> dict[str, Any]:
        """Make the change. Twice is harmless: the marker is written in the same call as the change."""
        request = ExecutionRequest.model_validate(state["execute"])
        approved = request.approved
        step = approved.steps[_position(state)]
        refused = self._refused(request, step) or await self._held_back(request, step)
        if refused:
            return _ended(step, StepStatus.REFUSED, refused)
        try:
            if approved.undo:
                undone = approved.marker(step.id.removeprefix("undo-"))
                record = await self._writer.undo(step, approved.marker(step.id), undone)
            else:
                record = await self._writer.apply(step, approved.marker(step.id))
        except (PlanStaleError, TargetGoneError) as e:
            return _ended(step, StepStatus.STALE, str(e))
        except (PermanentError, HumanNeededError) as e:
            return _ended(step, StepStatus.FAILED, str(e), e)
        return {"done": [record.model_dump(mode="json")], **spent()}

    async def check(self, state: NextStep) -> dict[str, Any]:
        """Read the object back: the change must be there, or the step is marked as reverted."""
        request = ExecutionRequest.model_validate(state["execute"])
        record = StepRecord.model_validate(state["done"][-1])
        step = request.approved.steps[len(state["done"]) - 1]
        if record.status is StepStatus.NOTHING_TO_UNDO:
            return spent()
        reversion = await self._reader.reverted(request.approved.applied(step))
        return _ended(step, StepStatus.REVERTED, reversion.sentence) if reversion else spent()

    def _refused(self, request: ExecutionRequest, step: PlannedStep) -> str | None:
        try:
            self._writer.require_cluster(request.cluster)
        except OtherClusterError as e:
            return str(e)
        verdicts = check_gate(
            request.approved,
            step,
            self._judge,
            cluster=request.cluster,
            severity=request.approved.severity,
            hour_utc=datetime.now(UTC).hour,
        )
        return next((f"{v.gate}: {v.reason}" for v in verdicts if not v.passed), None)

    async def _held_back(self, request: ExecutionRequest, step: PlannedStep) -> str | None:
        """Why this step may not be made now: a pause, or a limit of change. What was done is always undone.

        Raises ChangeControlUnavailableError: it cannot be read, so the step is not made before it can.
        """
        approved = request.approved
        if approved.undo:
            return None
        target = step.action.target
        asked = ChangeReservation(
            step=approved.marker(step.id),
            plan_hash=approved.plan.hash,
            namespace=target.namespace,
            target=str(target),
            limits=self._limits,
        )
        try:
            leave = await self._control.reserve(asked)
        except ChangeControlLostError as e:
            return str(e)
        return None if leave.granted else leave.reason


def _position(state: NextStep) -> int:
    return len(state.get("done") or [])


def _ended(step: PlannedStep, status: StepStatus, detail: str, error: Exception | None = None) -> dict[str, Any]:
    record = StepRecord(
        step_id=step.id,
        action=step.action.type,
        status=status,
        detail=detail,
        error=type(error).__name__ if error else "",
        at=datetime.now(UTC),
    )
    return {"done": [record.model_dump(mode="json")], **spent()}


async def _after_rehearsal(state: DeploymentState) -> str:
    begun = len(state.get("compensations") or []) > len(state.get("done") or [])
    return "apply" if begun else END


async def _after_apply(state: DeploymentState) -> str:
    settled = {StepStatus.APPLIED, StepStatus.ALREADY_APPLIED, StepStatus.NOTHING_TO_UNDO}
    if state["done"][-1]["status"] not in settled:
        return END
    request = ExecutionRequest.model_validate(state["execute"])
    last = len(state["done"]) >= len(request.approved.steps)
    return END if last and request.verified_next else "check"


async def _after_check(state: DeploymentState) -> str:
    approved = ExecutionRequest.model_validate(state["execute"]).approved
    lost = state["done"][-1]["status"] in (StepStatus.FAILED, StepStatus.REVERTED)
    return END if lost or len(state["done"]) >= len(approved.steps) else "rehearse"


def build_graph(agent: DeploymentAgent) -> StateGraph[Any, Any, Any, Any]:
    """A fresh graph: the plugin alters the one it is given."""
    graph: StateGraph[Any, Any, Any, Any] = StateGraph(DeploymentState)
    nodes = (
        ("rehearse", agent.rehearse, READ, "Gate, dry run and diff of the next step"),
        ("apply", agent.apply, MUTATE, "Make the change of this step"),
        ("check", agent.check, READ, "Read the change back"),
    )
    for name, run, patience, summary in nodes:
        graph.add_node(name, run, input_schema=NextStep, metadata=activity_node(DEPLOYMENT, patience, summary))
    graph.add_edge(START, "rehearse")
    graph.add_conditional_edges("rehearse", _after_rehearsal, ["apply", END])
    graph.add_conditional_edges("apply", _after_apply, ["check", END])
    graph.add_conditional_edges("check", _after_check, ["rehearse", END])
    return graph
