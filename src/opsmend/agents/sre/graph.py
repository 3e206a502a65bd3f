"""SRE's graph: observe → rules → recall → (model) → conclude; or one health check, looped over by the workflow."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Protocol, TypedDict

from langgraph.graph import END, START, StateGraph
from temporalio.workflow import ActivityConfig

from opsmend.agents.node import activity_node, add_calls, add_usage, spent
from opsmend.agents.patience import READ, THINK
from opsmend.agents.queues import SRE
from opsmend.agents.sre.causes import find_causes
from opsmend.agents.sre.diagnose import diagnose
from opsmend.agents.sre.glance import explained
from opsmend.agents.sre.looks import look_around
from opsmend.agents.sre.reading.beginning import beginning
from opsmend.agents.sre.reading.changes import recent_changes
from opsmend.agents.sre.verify import look_at_health
from opsmend.domain.agent_tasks import InvestigationRequest, VerificationRequest
from opsmend.domain.changes import around
from opsmend.domain.diagnosis import Diagnosis, Evidence, Finding, Recollection
from opsmend.domain.health import baseline
from opsmend.domain.ports.artifacts import ArtifactRef, Artifacts
from opsmend.domain.ports.cluster import ClusterReader
from opsmend.domain.ports.memory import Memory
from opsmend.domain.ports.metrics import Metrics
from opsmend.domain.ports.shared_causes import SharedCauses
from opsmend.domain.ports.thinker import Thinker
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Snapshot
from opsmend.errors import MemoryUnavailableError, MetricsUnavailableError, TemporalUnavailableError
from opsmend.policy.redaction import redact_json

CONFIDENT: Final = 0.6
"""A rule at least this sure makes asking a model pointless: its tokens cost money and the rule shows its evidence."""


class SreState(TypedDict, total=False):
    """JSON of domain models by key; see the domain modules of the same names."""

    investigate: JsonObject
    verify: JsonObject
    snapshot: JsonObject
    baseline: JsonObject
    metrics: list[JsonObject]
    findings: list[JsonObject]
    recalled: list[JsonObject]
    explained: bool
    """A glance was enough: a cause that another incident sees to."""
    watched: bool
    unseen: Annotated[list[str], lambda seen, more: [*seen, *more]]
    thought: JsonObject
    diagnosis: JsonObject
    check: JsonObject
    usage: Annotated[JsonObject, add_usage]
    calls: Annotated[JsonObject, add_calls]


class Observe(TypedDict, total=False):
    investigate: JsonObject


class Rules(TypedDict, total=False):
    snapshot: JsonObject


class Recall(TypedDict, total=False):
    investigate: JsonObject
    findings: list[JsonObject]


class Ask(TypedDict, total=False):
    snapshot: JsonObject
    findings: list[JsonObject]
    metrics: list[JsonObject]


class Conclude(TypedDict, total=False):
    investigate: JsonObject
    snapshot: JsonObject
    findings: list[JsonObject]
    recalled: list[JsonObject]
    metrics: list[JsonObject]
    thought: JsonObject
    unseen: list[str]
    explained: bool


class Check(TypedDict, total=False):
    verify: JsonObject


class Node(Protocol):
    """A node, whatever part of the state it takes."""

    async def __call__(self, state: Any) -> dict[str, Any]: ...


class SreAgent:
    """The nodes. Each takes and returns plain JSON, because it crosses Temporal."""

    def __init__(
        self,
        cluster: ClusterReader,
        metrics: Metrics,
        memory: Memory,
        thinker: Thinker,
        artifacts: Artifacts,
        shared_causes: SharedCauses,
        watched: frozenset[str] = frozenset(),
    ) -> None:
        """`watched`: the namespaces whose good configuration is kept."""
        self._shared_causes = shared_causes
        self._cluster = cluster
        self._metrics = metrics
        self._memory = memory
        self._thinker = thinker
        self._artifacts = artifacts
        self._watched = watched

    async def observe(self, state: Observe) -> dict[str, Any]:
        """Read the target's neighbourhood and the alert's expression; keep the redacted snapshot as an artifact."""
        request = InvestigationRequest.model_validate(state["investigate"])
        unseen: list[str] = []
        try:
            known = () if request.closely else await self._shared_causes.known(request.target.cluster)
        except TemporalUnavailableError as e:
            known, unseen = (), [f"causes that other incidents see to: {e}"]
        if found := await explained(self._cluster.glance, request.target, known):
            return await self._at_a_glance(request, *found)
        seen = await look_around(self._cluster, self._metrics, request.target, request.alerts)
        snapshot = Snapshot.model_validate(redact_json(seen.model_dump(mode="json")))
        evidence: list[Evidence] = []
        for alert in request.alerts:
            try:
                evidence += await self._metrics.evidence(alert)
            except MetricsUnavailableError as e:
                unseen.append(f"metrics of alert {alert.name}: {e}")
        ref = await self._artifacts.put(snapshot.model_dump_json().encode(), "application/json")
        return {
            "snapshot": ref.model_dump(mode="json"),
            "baseline": baseline(snapshot).model_dump(mode="json"),
            "metrics": redact_json([e.model_dump(mode="json") for e in evidence]),
            "watched": request.target.namespace in self._watched,
            "unseen": unseen,
            **spent(elsewhere=len(request.alerts)),
        }

    async def _at_a_glance(self, request: InvestigationRequest, seen: Snapshot, finding: Finding) -> dict[str, Any]:
        """A known cause explains it: nothing further is looked at or thought of."""
        snapshot = Snapshot.model_validate(redact_json(seen.model_dump(mode="json")))
        ref = await self._artifacts.put(snapshot.model_dump_json().encode(), "application/json")
        return {
            "snapshot": ref.model_dump(mode="json"),
            "baseline": baseline(snapshot).model_dump(mode="json"),
            "findings": redact_json([finding.model_dump(mode="json")]),
            "explained": True,
            "watched": request.target.namespace in self._watched,
            "unseen": [],
            **spent(elsewhere=1),
        }

    async def apply_rules(self, state: Rules) -> dict[str, Any]:
        """Run every detector over the snapshot."""
        snapshot = await self._snapshot(state["snapshot"])
        findings = find_causes(snapshot)
        return {"findings": [f.model_dump(mode="json") for f in findings]}

    async def recall(self, state: Recall) -> dict[str, Any]:
        """Ask memory for incidents like the likeliest finding. Memory helps but never decides, so its absence is only noted."""
        findings = [Finding.model_validate(f) for f in state["findings"]]
        if not findings:
            return {"recalled": []}
        likeliest = min(findings, key=lambda f: (f.rank, -f.confidence))
        alerts = InvestigationRequest.model_validate(state["investigate"]).alerts
        symptoms = ". ".join([likeliest.summary, *dict.fromkeys(alert.summary for alert in alerts)])
        try:
            recalled = await self._memory.recall(symptoms, likeliest.category)
        except MemoryUnavailableError as e:
            return {"recalled": [], "unseen": [f"memory of earlier incidents: {e}"]}
        return {
            "recalled": [r.model_dump(mode="json") for r in recalled],
            **spent(elsewhere=1),
        }

    async def ask_model(self, state: Ask) -> dict[str, Any]:
        """The model tier, asked only when the rules are not sure."""
        snapshot = await self._snapshot(state["snapshot"])
        findings = tuple(Finding.model_validate(f) for f in state["findings"])
        metrics = tuple(Evidence.model_validate(e) for e in state["metrics"])
        thought = await self._thinker.think(snapshot, findings, metrics)
        return {
            "thought": thought.model_dump(mode="json"),
            "unseen": [] if thought.diagnosis else [f"model tier: {thought.reason}"],
            "usage": thought.usage.model_dump(mode="json"),
        }

    async def conclude(self, state: Conclude) -> dict[str, Any]:
        """One diagnosis: the model's where it gave one, else the rules', with what changed, was ruled out and was not seen."""
        proposed = state.get("thought", {}).get("diagnosis")
        snapshot = await self._snapshot(state["snapshot"])
        if proposed:
            diagnosis = Diagnosis.model_validate(proposed)
        else:
            findings = [Finding.model_validate(f) for f in state["findings"]]
            recalled = tuple(Recollection.model_validate(r) for r in state.get("recalled", []))
            diagnosis = diagnose(snapshot, findings, recalled)
        metrics = tuple(Evidence.model_validate(e) for e in state.get("metrics", []))
        # An older workflow worker does not hand the request on to this node.
        asked = state.get("investigate")
        began = beginning(snapshot, InvestigationRequest.model_validate(asked).alerts if asked else ())
        complete = diagnosis.model_copy(
            update={
                "changes": around(recent_changes(snapshot), began.at),
                "began_at": began.at,
                "began_note": began.note,
                "evidence": (*diagnosis.evidence, *metrics),
                "unseen": tuple(dict.fromkeys((*diagnosis.unseen, *state.get("unseen", [])))),
            }
        )
        if state.get("explained"):
            # Nothing else was looked for, so nothing is ruled out.
            complete = complete.model_copy(update={"at_a_glance": True, "ruled_out": ()})
        return {"diagnosis": complete.model_dump(mode="json")}

    async def check_health(self, state: Check) -> dict[str, Any]:
        """One look at the target and at the alert's condition."""
        request = VerificationRequest.model_validate(state["verify"])
        check = await look_at_health(request, self._cluster, self._metrics, datetime.now(UTC))
        return {"check": check.model_dump(mode="json"), **spent(elsewhere=len(request.alerts))}

    async def _snapshot(self, ref: JsonObject) -> Snapshot:
        return Snapshot.model_validate_json(await self._artifacts.get(ArtifactRef.model_validate(ref)))


async def _entry(state: SreState) -> str:
    return "check_health" if "verify" in state else "observe"


async def _explained(state: SreState) -> str:
    return "conclude" if state.get("explained") else "apply_rules"


async def _sure_enough(state: SreState) -> str:
    return "conclude" if any(f["confidence"] >= CONFIDENT for f in state["findings"]) else "ask_model"


def build_graph(agent: SreAgent) -> StateGraph[Any, Any, Any, Any]:
    """A fresh graph: the plugin alters the one it is given."""
    graph: StateGraph[Any, Any, Any, Any] = StateGraph(SreState)
    nodes: tuple[tuple[str, Node, type[Any], ActivityConfig, str], ...] = (
        ("observe", agent.observe, Observe, READ, "Read the target's neighbourhood, logs, events, revisions and metrics"),
        ("apply_rules", agent.apply_rules, Rules, THINK, "Run the rules over what was seen"),
        ("recall", agent.recall, Recall, THINK, "Recall earlier incidents like this one"),
        ("ask_model", agent.ask_model, Ask, THINK, "Ask the model tier, since no rule is sure"),
        ("conclude", agent.conclude, Conclude, THINK, "Conclude: cause, evidence, what was ruled out"),
        ("check_health", agent.check_health, Check, READ, "Look whether the target is well and the alert's condition gone"),
    )
    for name, run, needs, patience, summary in nodes:
        graph.add_node(name, run, input_schema=needs, metadata=activity_node(SRE, patience, summary))
    graph.add_conditional_edges(START, _entry, ["observe", "check_health"])
    graph.add_conditional_edges("observe", _explained, ["apply_rules", "conclude"])
    graph.add_edge("apply_rules", "recall")
    graph.add_conditional_edges("recall", _sure_enough, ["conclude", "ask_model"])
    graph.add_edge("ask_model", "conclude")
    graph.add_edge("conclude", END)
    graph.add_edge("check_health", END)
    return graph
