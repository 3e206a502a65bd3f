"""The agents' runs: one child workflow each, walking that agent's LangGraph graph; every node is an activity on its queue.

Ids are `<incident id>:<agent>:<n>`, so the Temporal UI shows each agent's work as its own history below the incident.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, Final

from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, TimeoutError
from temporalio.langgraph import graph

with workflow.unsafe.imports_passed_through():
    from opsmend.agents.sre.verify import conclude_verification, next_looks_closely
    from opsmend.agents.work import ledger_in
    from opsmend.domain.agent_tasks import (
        Execution,
        ExecutionRequest,
        Investigation,
        InvestigationRequest,
        Planning,
        PlanningRequest,
        Review,
        ReviewRequest,
        RunStopped,
        VerificationRequest,
        Verified,
    )
    from opsmend.domain.budget import Usage
    from opsmend.domain.call_ledger import CallLedger
    from opsmend.domain.diagnosis import Diagnosis
    from opsmend.domain.execution import ExecutionRecord, StepRecord
    from opsmend.domain.plan import Alternative, Plan
    from opsmend.domain.ports.artifacts import ArtifactRef
    from opsmend.domain.record import JsonObject, understood
    from opsmend.domain.verdict import SecurityVerdict
    from opsmend.domain.verification import Baseline, Health, HealthCheck, Verification

_MOST_NODES: Final = 200
"""LangGraph's own limit of 25 node visits would end a plan of nine steps."""

RUN_STOPPED: Final = "run_stopped"
"""The signal by which a run that ends without a result tells its incident what it had used."""

TELLS_WHAT_IT_USED: Final = "a-stopped-run-tells-what-it-used"
"""Patch: runs that began before it say nothing when they stop. It can go once no run is older than 0.2."""


@lru_cache(maxsize=16)
def _compiled(built: StateGraph[Any, Any, Any, Any]) -> CompiledStateGraph[Any, Any, Any, Any]:
    """Once a process: it costs as much as walking the graph, and a compiled one keeps nothing of its walks."""
    return built.compile()


class _Account:
    """Walks an agent's graph, and keeps what its nodes used, those of a walk that failed included."""

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self.usage = Usage()
        self.calls = CallLedger()

    async def walk(self, state: JsonObject) -> JsonObject:
        reached: JsonObject = {}
        # graph() also empties the plugin's cache of node results: without it, a second walk would answer a node with the same
        # input from that cache, and a verification would look only once.
        walkable = _compiled(graph(self._agent))
        steps = walkable.astream(state, {"recursion_limit": _MOST_NODES}, stream_mode="values")
        try:
            async for after_a_step in steps:
                reached = after_a_step
        except FailureError as failure:
            asked = calls_in(failure)
            self._enter(Usage.of_calls(asked), asked)
            raise
        finally:
            self._enter(Usage.model_validate(reached.get("usage") or {}), CallLedger.model_validate(reached.get("calls") or {}))
        return reached

    def _enter(self, usage: Usage, calls: CallLedger) -> None:
        self.usage += usage
        self.calls += calls

    async def tell_incident(self) -> None:
        incident = workflow.info().parent
        if incident is None or not workflow.patched(TELLS_WHAT_IT_USED):
            return
        handle = workflow.get_external_workflow_handle(incident.workflow_id, run_id=incident.run_id)
        await handle.signal(RUN_STOPPED, RunStopped(agent=self._agent, usage=self.usage, calls=self.calls))


@asynccontextmanager
async def _accounted(agent: str) -> AsyncIterator[_Account]:
    """What a run uses reaches its incident in any case: with the result, or by a signal when there is none."""
    account = _Account(agent)
    try:
        yield account
    except (FailureError, asyncio.CancelledError):
        await account.tell_incident()
        raise


def calls_in(failure: BaseException) -> CallLedger:
    """What an activity that failed for good had asked of the Kubernetes API, over all its tries."""
    cause: BaseException | None = failure
    while cause is not None:
        details = cause.details if isinstance(cause, ApplicationError) else ()
        details = cause.last_heartbeat_details if isinstance(cause, TimeoutError) else details
        if details:
            return ledger_in(details)
        cause = cause.__cause__
    return CallLedger()


@workflow.defn(name="SreInvestigation")
class SreInvestigation:
    """Find out what is wrong with a target."""

    @workflow.run
    async def run(self, request: InvestigationRequest) -> Investigation:
        async with _accounted("sre") as account:
            state = await account.walk({"investigate": request.model_dump(mode="json")})
        return Investigation(
            diagnosis=Diagnosis.model_validate(state["diagnosis"]),
            snapshot=ArtifactRef.model_validate(state["snapshot"]),
            baseline=Baseline.model_validate(state["baseline"]),
            usage=account.usage,
            calls=account.calls,
            watched=state.get("watched", False),
        )


@workflow.defn(name="ArchitectPlanning")
class ArchitectPlanning:
    """Say what to do about a diagnosis, exactly."""

    @workflow.run
    async def run(self, request: PlanningRequest) -> Planning:
        async with _accounted("architect") as account:
            state = await account.walk({"planning": request.model_dump(mode="json")})
        alternatives = tuple(understood(Alternative, a) for a in state["alternatives"])
        return Planning(
            plan=understood(Plan, state["plan"]) if state["plan"] else None,
            alternatives=alternatives,
            reason="" if state["plan"] else _why_no_plan(alternatives),
            usage=account.usage,
            calls=account.calls,
        )


def _why_no_plan(alternatives: tuple[Alternative, ...]) -> str:
    if not alternatives:
        return "no action in the catalogue removes this cause"
    return "; ".join(f"{a.summary}: {a.refused_because}" for a in alternatives)


@workflow.defn(name="SecurityReview")
class SecurityReview:
    """Look at a plan as an adversary would, and ask the policy."""

    @workflow.run
    async def run(self, request: ReviewRequest) -> Review:
        async with _accounted("security") as account:
            state = await account.walk({"review": request.model_dump(mode="json")})
        return Review(verdict=understood(SecurityVerdict, state["verdict"]), usage=account.usage, calls=account.calls)


@workflow.defn(name="DeploymentExecution")
class DeploymentExecution:
    """Carry an approved plan out, or undo what it did."""

    @workflow.run
    async def run(self, request: ExecutionRequest) -> Execution:
        async with _accounted("deployment") as account:
            try:
                record = _record(request, await account.walk({"execute": request.model_dump(mode="json")}))
            except ActivityError as e:
                record = ExecutionRecord.gave_up(request.approved, str(e.cause or e), workflow.now())
        return Execution(record=record, usage=account.usage, calls=account.calls)


def _record(request: ExecutionRequest, state: JsonObject) -> ExecutionRecord:
    return ExecutionRecord(
        plan_hash=request.approved.plan.hash,
        steps=tuple(StepRecord.model_validate(s) for s in state["done"]),
        compensations=tuple(state.get("compensations", [])),
    )


@workflow.defn(name="SreVerification")
class SreVerification:
    """Look again and again until it was well often enough in a row, got worse, was taken back, or the deadline passed."""

    @workflow.run
    async def run(self, request: VerificationRequest) -> Verified:
        async with _accounted("sre") as account:
            verification = await self._look_until_sure(request, account)
        return Verified(verification=verification, usage=account.usage, calls=account.calls)

    async def _look_until_sure(self, request: VerificationRequest, account: _Account) -> Verification:
        ends = workflow.now() + request.deadline
        checks: list[HealthCheck] = []
        while True:
            look = request.model_copy(update={"closely": next_looks_closely(checks, request.checks)})
            state = await account.walk({"verify": look.model_dump(mode="json")})
            checks.append(HealthCheck.model_validate(state["check"]))
            verification = conclude_verification(checks, request.checks)
            row = checks[-request.checks :]
            worse = len(row) == request.checks and all(check.worse_than_baseline for check in row)
            settled = verification.health is Health.HEALTHY or verification.reverted or worse
            if settled or workflow.now() + request.interval > ends:
                return verification
            await workflow.sleep(request.interval, summary=_progress(checks, request.checks))


def _progress(checks: list[HealthCheck], needed: int) -> str:
    return f"look {len(checks)}: {checks[-1].health}; {needed} healthy ones in a row are needed"
