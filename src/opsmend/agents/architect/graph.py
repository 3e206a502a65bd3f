"""Architect's graph: propose candidates from the diagnosis → draw up the best one that fits the cluster as it stands."""

from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph

from opsmend.agents.architect.remedies import Candidate, propose
from opsmend.agents.node import activity_node, add_calls, add_usage, spent
from opsmend.agents.patience import READ, THINK
from opsmend.agents.queues import ARCHITECT
from opsmend.agents.seen import seen_revisions
from opsmend.domain.actions.action import LiveObject
from opsmend.domain.actions.planned_step import plan_step
from opsmend.domain.actions.planned_step import projected as projected_by
from opsmend.domain.agent_tasks import PlanningRequest
from opsmend.domain.gitops import keeper_of
from opsmend.domain.plan import Alternative, Plan, PlannedStep
from opsmend.domain.ports.artifacts import ArtifactRef, Artifacts
from opsmend.domain.ports.cluster import ClusterReader
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Snapshot
from opsmend.errors import PlanStaleError, TargetGoneError
from opsmend.policy.redaction import redact


class ArchitectState(TypedDict, total=False):
    """JSON of PlanningRequest, Candidates, Plan, Alternatives."""

    planning: JsonObject
    candidates: list[JsonObject]
    plan: JsonObject | None
    alternatives: list[JsonObject]
    usage: Annotated[JsonObject, add_usage]
    calls: Annotated[JsonObject, add_calls]


class Propose(TypedDict, total=False):
    planning: JsonObject


class DrawUp(TypedDict, total=False):
    planning: JsonObject
    candidates: list[JsonObject]


class ArchitectAgent:
    """The nodes. Each takes and returns plain JSON, because it crosses Temporal."""

    def __init__(self, cluster: ClusterReader, artifacts: Artifacts) -> None:
        self._cluster = cluster
        self._artifacts = artifacts

    async def propose(self, state: Propose) -> dict[str, Any]:
        """All candidates that the catalogue of actions offers for the diagnosis, best first, refused ones with their reason."""
        request = PlanningRequest.model_validate(state["planning"])
        snapshot = Snapshot.model_validate_json(await self._artifacts.get(request.snapshot))
        candidates = propose(request.diagnosis, snapshot)
        return {"candidates": [c.model_dump(mode="json") for c in candidates]}

    async def draw_up(self, state: DrawUp) -> dict[str, Any]:
        """Project the best candidate on the live objects: exact diff, inverse, blast radius, preconditions, hash."""
        request = PlanningRequest.model_validate(state["planning"])
        candidates = [Candidate.model_validate(c) for c in state["candidates"]]
        refused = [Alternative(summary=_title(c), refused_because=c.rejected_because) for c in candidates if c.rejected_because]
        chosen: tuple[Candidate, tuple[PlannedStep, ...]] | None = None
        seen: dict[str, LiveObject] = {}
        for candidate in (c for c in candidates if not c.rejected_because):
            if chosen is not None:
                refused.append(
                    Alternative(summary=_title(candidate), refused_because=f"a better one fits: {_title(chosen[0])}")
                )
                continue
            try:
                chosen = candidate, await self._steps(request.snapshot, candidate, seen)
            except (PlanStaleError, TargetGoneError) as e:
                refused.append(Alternative(summary=_title(candidate), refused_because=str(e)))
        plan = _seal(request, *chosen, tuple(refused)) if chosen else None
        return {
            "plan": plan.model_dump(mode="json") if plan else None,
            "alternatives": [a.model_dump(mode="json") for a in refused],
            **spent(),
        }

    async def _steps(self, snapshot: ArtifactRef, candidate: Candidate, seen: dict[str, LiveObject]) -> tuple[PlannedStep, ...]:
        """`seen` is what was read for other candidates; what is read here is added to it."""
        steps: list[PlannedStep] = []
        projected: dict[str, LiveObject] = {}
        for number, action in enumerate(candidate.actions, start=1):
            key = str(action.target)
            revisions = await seen_revisions(self._artifacts, snapshot, action)
            if key in projected:
                # A second action on the same object starts from what the first one leaves behind.
                live = await self._cluster.read(action, known=projected[key], revisions=revisions)
            else:
                live = seen[key] = await self._cluster.read(action, known=seen.get(key), revisions=revisions)
            why = f"{candidate.reason}{_warning(live)}"
            steps.append(plan_step(action, live, step_id=str(number), reason=why, redact=redact))
            projected[key] = projected_by(action, live)
        return tuple(steps)


def _warning(live: LiveObject) -> str:
    """What a person has to know before saying yes: somebody else keeps this object as it is declared elsewhere."""
    keeper = keeper_of(live.object)
    if keeper is None:
        return ""
    return f". Beware: this object belongs to {redact(keeper)}, which may take the change back: change it there as well"


def _title(candidate: Candidate) -> str:
    return "; then ".join(action.summary() for action in candidate.actions) or candidate.reason


def _seal(
    request: PlanningRequest, candidate: Candidate, steps: tuple[PlannedStep, ...], alternatives: tuple[Alternative, ...]
) -> Plan:
    return Plan.seal(
        incident_id=request.incident_id,
        run_id=request.run_id,
        attempt=request.attempt,
        summary=_title(candidate),
        steps=steps,
        alternatives=alternatives,
        cites=candidate.cites,
    )


def build_graph(agent: ArchitectAgent) -> StateGraph[Any, Any, Any, Any]:
    """A fresh graph: the plugin alters the one it is given."""
    graph: StateGraph[Any, Any, Any, Any] = StateGraph(ArchitectState)
    graph.add_node(
        "propose",
        agent.propose,
        input_schema=Propose,
        metadata=activity_node(ARCHITECT, THINK, "Propose typed actions for the diagnosis"),
    )
    graph.add_node(
        "draw_up",
        agent.draw_up,
        input_schema=DrawUp,
        metadata=activity_node(ARCHITECT, READ, "Draw up the plan: exact diff, inverse, blast radius, hash"),
    )
    graph.add_edge(START, "propose")
    graph.add_edge("propose", "draw_up")
    graph.add_edge("draw_up", END)
    return graph
