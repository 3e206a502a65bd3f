"""Replace all pods of a workload one by one, as `kubectl rollout restart` does."""

from copy import deepcopy
from typing import ClassVar, Final, Literal

from pydantic import Field

from opsmend.domain.actions.action import Action, BlastRadius, LiveObject
from opsmend.domain.actions.workload_fields import all_pods_replaced, put_or_drop, template_of
from opsmend.domain.record import JsonObject
from opsmend.domain.target import WORKLOAD_KINDS, Kind

RESTARTED_AT: Final = "kubectl.kubernetes.io/restartedAt"


class RestartWorkload(Action):
    """The moment is part of the action, so that a second projection writes the same and restarts nothing twice."""

    kinds: ClassVar[frozenset[Kind]] = WORKLOAD_KINDS

    type: Literal["restart_workload"] = "restart_workload"
    restarted_at: str | None = Field(max_length=64)
    """RFC 3339. None takes the annotation away: the way back of a first restart, and itself one more rollout."""

    def summary(self) -> str:
        if self.restarted_at is None:
            return f"Take the restart mark off {self.target}, which replaces its pods once more"
        return f"Restart all pods of {self.target}, one after the other"

    def project(self, live: LiveObject) -> JsonObject:
        desired = deepcopy(live.object)
        metadata = template_of(desired).setdefault("metadata", {})
        annotations = dict(metadata.get("annotations") or {})
        put_or_drop(annotations, RESTARTED_AT, self.restarted_at)
        put_or_drop(metadata, "annotations", annotations)
        return desired

    def inverse(self, live: LiveObject) -> "RestartWorkload":
        annotations = template_of(live.object).get("metadata", {}).get("annotations") or {}
        return RestartWorkload(target=self.target, restarted_at=annotations.get(RESTARTED_AT))

    def blast_radius(self, live: LiveObject) -> BlastRadius:
        return all_pods_replaced(self.target, live)
