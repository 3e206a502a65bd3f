"""Security's graph: inspect the plan → ask the policy → verdict."""

from datetime import UTC, datetime
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph

from opsmend.agents.node import activity_node, add_calls, add_usage, spent
from opsmend.agents.patience import READ, THINK
from opsmend.agents.queues import SECURITY
from opsmend.agents.security.checks import CHECKS
from opsmend.agents.security.scene import Scene
from opsmend.agents.seen import seen_revisions
from opsmend.domain.actions.action import LiveObject
from opsmend.domain.agent_tasks import ReviewRequest
from opsmend.domain.ports.artifacts import Artifacts
from opsmend.domain.ports.cluster import ClusterReader
from opsmend.domain.ports.judge import Judge
from opsmend.domain.record import JsonObject
from opsmend.domain.verdict import SecurityFinding, SecurityVerdict, Severity
from opsmend.errors import TargetGoneError


class SecurityState(TypedDict, total=False):
    """JSON of domain models: ReviewRequest, SecurityFinding, SecurityVerdict."""

    review: JsonObject
    findings: list[JsonObject]
    verdict: JsonObject
    usage: Annotated[JsonObject, add_usage]
    calls: Annotated[JsonObject, add_calls]


class Inspect(TypedDict, total=False):
    review: JsonObject


class Decide(TypedDict, total=False):
    review: JsonObject
    findings: list[JsonObject]


class SecurityAgent:
    """The nodes. Each takes and returns plain JSON, because it crosses Temporal."""

    def __init__(self, cluster: ClusterReader, judge: Judge, artifacts: Artifacts) -> None:
        self._cluster = cluster
        self._judge = judge
        self._artifacts = artifacts

    async def inspect(self, state: Inspect) -> dict[str, Any]:
        """Run every check over the plan and the objects as they stand now."""
        request = ReviewRequest.model_validate(state["review"])
        plan = request.plan
        live: dict[str, LiveObject] = {}
        findings: list[SecurityFinding] = []
        for step in plan.steps:
            try:
                key = str(step.action.target)
                revisions = await seen_revisions(self._artifacts, request.snapshot, step.action)
                live[key] = await self._cluster.read(step.action, known=live.get(key), revisions=revisions)
            except TargetGoneError as e:
                findings.append(SecurityFinding(check="target_exists", severity=Severity.BLOCK, text=str(e)))
        if not findings:
            scene = Scene(plan, live)
            findings = [finding for check in CHECKS for finding in check(scene)]
        return {"findings": [f.model_dump(mode="json") for f in findings], **spent()}

    async def decide(self, state: Decide) -> dict[str, Any]:
        """The policy's word and the findings, as one verdict: anything that blocks fails the plan."""
        request = ReviewRequest.model_validate(state["review"])
        findings = tuple(SecurityFinding.model_validate(f) for f in state["findings"])
        policy = self._judge.judge_plan(
            request.plan, cluster=request.cluster, severity=request.severity, hour_utc=datetime.now(UTC).hour
        )
        passed = all(f.severity is not Severity.BLOCK for f in findings)
        verdict = SecurityVerdict(plan_hash=request.plan.hash, passed=passed, findings=findings, policy=policy)
        return {"verdict": verdict.model_dump(mode="json")}


def build_graph(agent: SecurityAgent) -> StateGraph[Any, Any, Any, Any]:
    """A fresh graph: the plugin alters the one it is given."""
    graph: StateGraph[Any, Any, Any, Any] = StateGraph(SecurityState)
    graph.add_node(
        "inspect",
        agent.inspect,
        input_schema=Inspect,
        metadata=activity_node(SECURITY, READ, "Check the plan for what could harm"),
    )
    graph.add_node(
        "decide",
        agent.decide,
        input_schema=Decide,
        metadata=activity_node(SECURITY, THINK, "Ask the policy and give the verdict"),
    )
    graph.add_edge(START, "inspect")
    graph.add_edge("inspect", "decide")
    graph.add_edge("decide", END)
    return graph
