"""Creates and deletes the pods of a workload, with the events that tell of it; retries a refused creation ever more slowly."""

import time
from copy import deepcopy
from typing import Final

from opsmend_cluster.controllers.owned import owner_reference
from opsmend_cluster.objects.kinds import PODS, JsonObject
from opsmend_cluster.objects.status import ApiError
from opsmend_cluster.timing import Timing
from opsmend_cluster.writes.deletion import delete
from opsmend_cluster.writes.recorder import EventRecorder
from opsmend_cluster.writes.registry import Registry, Writer

MANAGER: Final = "kube-controller-manager"
_RETRY_SECONDS: Final = 5.0
_RETRY_LIMIT_SECONDS: Final = 160.0


class PodMaker:
    def __init__(self, registry: Registry, events: EventRecorder, timing: Timing) -> None:
        self._registry = registry
        self._events = events
        self._timing = timing
        self._refusals: dict[str, tuple[str, float, float]] = {}
        """Owner uid → message, back-off in Kubernetes seconds, when to try again."""

    def create(
        self, owner: JsonObject, component: str, *, name: str = "", labels: dict[str, str] | None = None,
        spec: JsonObject | None = None,
    ) -> bool:  # fmt: skip
        """A pod from the owner's template; False when it was refused, or is not to be tried yet after a refusal."""
        uid = owner["metadata"]["uid"]
        _, back_off, again = self._refusals.get(uid, ("", 0.0, 0.0))
        if time.monotonic() < again:
            return False
        template = deepcopy(owner["spec"]["template"])
        metadata = {key: template["metadata"][key] for key in ("labels", "annotations") if key in template["metadata"]}
        metadata["labels"] = {**(metadata.get("labels") or {}), **(labels or {})}
        metadata["name"] = name or self._registry.generated(f"{owner['metadata']['name']}-")
        if not name:
            metadata["generateName"] = f"{owner['metadata']['name']}-"
        metadata["ownerReferences"] = [owner_reference(owner)]
        pod = {"metadata": metadata, "spec": {**template["spec"], **(spec or {})}}
        try:
            self._registry.create(PODS, owner["metadata"]["namespace"], pod, Writer(MANAGER))
        except ApiError as error:
            seconds = min(max(back_off * 2, _RETRY_SECONDS), _RETRY_LIMIT_SECONDS)
            self._refusals[uid] = (str(error), seconds, time.monotonic() + self._timing.real(seconds))
            self._events.warning(owner, "FailedCreate", f"Error creating: {error}", component)
            return False
        self._refusals.pop(uid, None)
        self._events.normal(owner, "SuccessfulCreate", f"Created pod: {metadata['name']}", component)
        return True

    def delete(self, owner: JsonObject, pod: JsonObject, component: str) -> None:
        delete(self._registry.store, PODS, pod, {})
        self._events.normal(owner, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}", component)

    def refusal(self, owner: JsonObject) -> str:
        """Why the last creation was refused, empty when it was not."""
        return self._refusals.get(owner["metadata"]["uid"], ("", 0.0, 0.0))[0]

    def retry_at(self, owner: JsonObject) -> float:
        """When to try again (monotonic); infinity when nothing was refused."""
        entry = self._refusals.get(owner["metadata"]["uid"])
        return float("inf") if entry is None else entry[2]

    def retry_now(self) -> None:
        """Something that may have refused pods changed: a quota, a limit range, a service account."""
        for uid, (message, seconds, _) in list(self._refusals.items()):
            self._refusals[uid] = (message, seconds, 0.0)

    def settled(self, owner: JsonObject) -> None:
        """The owner wants no pod any more."""
        self._refusals.pop(owner["metadata"]["uid"], None)
