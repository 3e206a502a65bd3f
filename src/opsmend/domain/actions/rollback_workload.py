"""Return a workload to the pod template of an earlier revision, as `kubectl rollout undo` does."""

from copy import deepcopy
from typing import ClassVar, Literal

from opsmend.domain.actions.action import Action, BlastRadius, LiveObject
from opsmend.domain.actions.workload_fields import all_pods_replaced, template_of
from opsmend.domain.record import JsonObject, digest
from opsmend.domain.target import WORKLOAD_KINDS, Kind
from opsmend.errors import PlanStaleError


class RollbackWorkload(Action):
    """`template_digest` decides which template; `revision` is what a person knows it by."""

    kinds: ClassVar[frozenset[Kind]] = WORKLOAD_KINDS

    type: Literal["rollback_workload"] = "rollback_workload"
    revision: int
    template_digest: str

    @property
    def needed_template(self) -> str:
        return self.template_digest

    def summary(self) -> str:
        return f"Roll {self.target} back to revision {self.revision}"

    def project(self, live: LiveObject) -> JsonObject:
        if digest(template_of(live.object)) == self.template_digest:
            return deepcopy(live.object)
        if live.object["spec"].get("paused"):
            raise PlanStaleError(f"{self.target} is paused, so a rollback would not roll out. Resume it first.")
        for revision in live.revisions:
            if revision.template_digest == self.template_digest:
                desired = deepcopy(live.object)
                desired["spec"]["template"] = deepcopy(revision.template)
                return desired
        raise PlanStaleError(
            f"{self.target} no longer keeps revision {self.revision} (template {self.template_digest[:12]}): "
            "revisionHistoryLimit may have removed it. Investigate again."
        )

    def inverse(self, live: LiveObject) -> "RollbackWorkload":
        current = digest(template_of(live.object))
        number = next((r.number for r in live.revisions if r.template_digest == current), 0)
        return RollbackWorkload(target=self.target, revision=number, template_digest=current)

    def blast_radius(self, live: LiveObject) -> BlastRadius:
        return all_pods_replaced(self.target, live)
