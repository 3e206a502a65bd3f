"""How an agent's node becomes an activity on that agent's queue."""

from typing import Any

from temporalio.workflow import ActivityConfig

from opsmend.agents import work
from opsmend.agents.patience import on
from opsmend.domain.budget import Usage
from opsmend.domain.call_ledger import CallLedger
from opsmend.domain.record import JsonObject


def activity_node(queue: str, patience: ActivityConfig, summary: str) -> dict[str, Any]:
    """The node metadata that the LangGraph plugin turns into an activity call. `summary` is what the Temporal UI shows."""
    return {"execute_in": "activity", **on(queue, patience, summary)}


def add_usage(total: JsonObject | None, more: JsonObject | None) -> JsonObject:
    """State reducer: what each node used, summed up."""
    spent = Usage.model_validate(total or {}) + Usage.model_validate(more or {})
    return spent.model_dump(mode="json")


def add_calls(total: JsonObject | None, more: JsonObject | None) -> JsonObject:
    """State reducer: what each node asked of the Kubernetes API, summed up."""
    calls = CallLedger.model_validate(total or {}) + CallLedger.model_validate(more or {})
    return calls.model_dump(mode="json")


def spent(elsewhere: int = 0) -> dict[str, Any]:
    """What a node puts into its result for the bill: this activity's calls to the Kubernetes API, those of its failed tries
    included, and how many calls it made `elsewhere`."""
    doing = work.current()
    calls = doing.ledger if doing else CallLedger()
    return {
        "usage": Usage.of_calls(calls, elsewhere).model_dump(mode="json"),
        "calls": calls.model_dump(mode="json"),
    }


class _Absent:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"{name} was called in a process that only walks the graph; nodes run on the agent's own worker")


def absent() -> Any:
    """Stands where a port would be on the workflow worker, which walks the graphs but never runs a node."""
    return _Absent()
