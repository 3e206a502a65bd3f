"""Deployment → ReplicaSets: revisions, rolling updates, conditions."""

import time
from copy import deepcopy
from typing import Final

from opsmend_cluster.controllers.owned import is_going, owned, owner_reference
from opsmend_cluster.controllers.pod_maker import MANAGER
from opsmend_cluster.controllers.rollout import max_surge, max_unavailable, next_scale
from opsmend_cluster.controllers.templates import POD_TEMPLATE_HASH, same_template, template_hash
from opsmend_cluster.kubelet.pod_status import set_condition
from opsmend_cluster.objects.clock import timestamp
from opsmend_cluster.objects.kinds import DEPLOYMENTS, REPLICA_SETS, JsonObject
from opsmend_cluster.timing import Timing
from opsmend_cluster.writes.deletion import delete
from opsmend_cluster.writes.recorder import EventRecorder
from opsmend_cluster.writes.registry import Registry, Writer

REVISION: Final = "deployment.kubernetes.io/revision"
_HISTORY: Final = "deployment.kubernetes.io/revision-history"
_NOT_COPIED: Final = frozenset({"kubectl.kubernetes.io/last-applied-configuration", REVISION, _HISTORY})
_COMPONENT: Final = "deployment-controller"


class Deployments:
    def __init__(self, registry: Registry, events: EventRecorder, timing: Timing) -> None:
        self._registry = registry
        self._store = registry.store
        self._events = events
        self._timing = timing
        self._progress: dict[str, tuple[JsonObject, float]] = {}
        """Deployment uid → the counts last seen, and since when (monotonic): what the progress deadline counts from."""

    def sync(self, namespace: str) -> float:
        return min((self._sync_one(d) for d in self._store.all(DEPLOYMENTS, namespace)), default=float("inf"))

    def _sync_one(self, deployment: JsonObject) -> float:
        if is_going(deployment):
            return float("inf")
        sets = sorted(owned(self._store, REPLICA_SETS, deployment), key=_revision)
        new = next((rs for rs in sets if same_template(rs["spec"]["template"], deployment["spec"]["template"])), None)
        paused = bool(deployment["spec"].get("paused"))
        if not paused or new is not None:
            new, deployment = self._current(deployment, new, sets)
        sets = sorted(owned(self._store, REPLICA_SETS, deployment), key=_revision)
        new_name = "" if new is None else new["metadata"]["name"]
        old = [rs for rs in sets if rs["metadata"]["name"] != new_name]
        for rs, replicas in next_scale(deployment, new, old):
            self._scale(deployment, rs, replicas)
        self._clean_up(deployment, old)
        return self._write_status(deployment, new_name)

    def _current(self, deployment: JsonObject, new: JsonObject | None, sets: list[JsonObject]) -> tuple[JsonObject, JsonObject]:
        """The ReplicaSet of the current template under the newest revision number, made if need be."""
        newest_old = max((_revision(rs) for rs in sets if rs is not new), default=0)
        if new is None:
            new = self._make(deployment, newest_old + 1)
        elif _revision(new) <= newest_old:
            new = self._renumber(new, newest_old + 1)
        number = str(_revision(new))
        if (deployment["metadata"].get("annotations") or {}).get(REVISION) != number:
            changed = deepcopy(deployment)
            changed["metadata"].setdefault("annotations", {})[REVISION] = number
            deployment = self._registry.update(DEPLOYMENTS, deployment, changed, Writer(MANAGER))
        return new, deployment

    def _make(self, deployment: JsonObject, revision: int) -> JsonObject:
        metadata, spec = deployment["metadata"], deployment["spec"]
        template = deepcopy(spec["template"])
        pod_hash = template_hash(template)
        template["metadata"].setdefault("labels", {})[POD_TEMPLATE_HASH] = pod_hash
        selector = deepcopy(spec["selector"])
        selector.setdefault("matchLabels", {})[POD_TEMPLATE_HASH] = pod_hash
        kept = {k: v for k, v in (metadata.get("annotations") or {}).items() if k not in _NOT_COPIED}
        body = {
            "metadata": {
                "name": f"{metadata['name']}-{pod_hash}", "labels": dict(template["metadata"]["labels"]),
                "annotations": {**kept, REVISION: str(revision), **_desired_annotations(spec)},
                "ownerReferences": [owner_reference(deployment)],
            },
            "spec": {"replicas": 0, "selector": selector, "template": template},
        }  # fmt: skip
        return self._registry.create(REPLICA_SETS, metadata["namespace"], body, Writer(MANAGER))

    def _renumber(self, rs: JsonObject, revision: int) -> JsonObject:
        """A rollback: an old ReplicaSet becomes the newest revision and remembers the number that it had."""
        changed = deepcopy(rs)
        annotations = changed["metadata"].setdefault("annotations", {})
        annotations[_HISTORY] = ",".join(filter(None, [annotations.get(_HISTORY, ""), annotations.get(REVISION, "")]))
        annotations[REVISION] = str(revision)
        return self._registry.update(REPLICA_SETS, rs, changed, Writer(MANAGER))

    def _scale(self, deployment: JsonObject, rs: JsonObject, replicas: int) -> None:
        before, name = rs["spec"]["replicas"], rs["metadata"]["name"]
        changed = deepcopy(rs)
        changed["spec"]["replicas"] = replicas
        changed["metadata"].setdefault("annotations", {}).update(_desired_annotations(deployment["spec"]))
        self._registry.update(REPLICA_SETS, rs, changed, Writer(MANAGER))
        way = "up" if replicas > before else "down"
        since = f" from {before}" if before or way == "down" else ""
        self._events.normal(
            deployment, "ScalingReplicaSet", f"Scaled {way} replica set {name} to {replicas}{since}", _COMPONENT
        )

    def _clean_up(self, deployment: JsonObject, old: list[JsonObject]) -> None:
        idle = [rs for rs in old if not rs["spec"]["replicas"] and not rs["status"].get("replicas") and not is_going(rs)]
        surplus = len(idle) - int(deployment["spec"]["revisionHistoryLimit"])
        for rs in idle[: max(0, surplus)]:
            delete(self._store, REPLICA_SETS, rs, {})

    def _write_status(self, deployment: JsonObject, new_name: str) -> float:
        sets = owned(self._store, REPLICA_SETS, deployment)
        new = next((rs for rs in sets if rs["metadata"]["name"] == new_name), None)
        spec = deployment["spec"]
        total, ready = _sum(sets, "replicas"), _sum(sets, "readyReplicas")
        counts = {
            "replicas": total, "updatedReplicas": new["status"].get("replicas", 0) if new else 0, "readyReplicas": ready,
            "availableReplicas": ready, "unavailableReplicas": max(0, max(spec["replicas"], total) - ready),
        }  # fmt: skip
        conditions, wake = self._conditions(deployment, sets, new, counts)
        status: JsonObject = {"observedGeneration": deployment["metadata"]["generation"]}
        status |= {key: value for key, value in counts.items() if value}
        status["conditions"] = conditions
        self._registry.update_status(DEPLOYMENTS, deployment, status, MANAGER)
        return wake

    def _conditions(
        self, deployment: JsonObject, sets: list[JsonObject], new: JsonObject | None, counts: JsonObject
    ) -> tuple[list[JsonObject], float]:
        spec, conditions = deployment["spec"], deployment["status"].get("conditions") or []
        available = counts["availableReplicas"] >= spec["replicas"] - max_unavailable(spec)
        conditions = _set(
            conditions, "Available", available,
            *(("MinimumReplicasAvailable", "Deployment has minimum availability.") if available else
              ("MinimumReplicasUnavailable", "Deployment does not have minimum availability.")),
        )  # fmt: skip
        conditions, wake = self._progressing(deployment, new, counts, conditions)
        failure = next((c for rs in sets for c in rs["status"].get("conditions") or [] if c["type"] == "ReplicaFailure"), None)
        conditions = [c for c in conditions if c["type"] != "ReplicaFailure" or failure is not None]
        if failure is not None:
            conditions = _set(conditions, "ReplicaFailure", True, failure["reason"], failure["message"])
        return conditions, wake

    def _progressing(
        self, deployment: JsonObject, new: JsonObject | None, counts: JsonObject, conditions: list[JsonObject]
    ) -> tuple[list[JsonObject], float]:
        spec, uid = deployment["spec"], deployment["metadata"]["uid"]
        if spec.get("paused"):
            self._progress.pop(uid, None)
            return _set(conditions, "Progressing", None, "DeploymentPaused", "Deployment is paused"), float("inf")
        if new is None:
            return conditions, float("inf")
        quoted = f'ReplicaSet "{new["metadata"]["name"]}"'
        done = counts["updatedReplicas"] == counts["replicas"] == counts["availableReplicas"] == spec["replicas"]
        old = next((c for c in conditions if c["type"] == "Progressing"), None)
        if done:
            self._progress.pop(uid, None)
            return _set(
                conditions, "Progressing", True, "NewReplicaSetAvailable", f"{quoted} has successfully progressed."
            ), float("inf")
        finished = old is not None and old.get("reason") == "NewReplicaSetAvailable" and old["message"].startswith(quoted)
        if finished and uid not in self._progress and counts["updatedReplicas"] == counts["replicas"]:
            # A finished rollout that loses pods later is not a rollout again: the deadline does not count for it.
            return conditions, float("inf")
        seen = {"revision": new["metadata"]["name"], **counts}
        before, since = self._progress.get(uid, ({}, time.monotonic()))
        if _progressed(before, seen):
            since = time.monotonic()
        self._progress[uid] = (seen, since)
        deadline = since + self._timing.real(spec["progressDeadlineSeconds"])
        if time.monotonic() >= deadline:
            message = f"{quoted} has timed out progressing."
            return _set(conditions, "Progressing", False, "ProgressDeadlineExceeded", message), float("inf")
        reason, message = "ReplicaSetUpdated", f"{quoted} is progressing."
        if not counts["updatedReplicas"]:
            reason, message = "NewReplicaSetCreated", f'Created new replica set "{new["metadata"]["name"]}"'
        return _set(conditions, "Progressing", True, reason, message), deadline


def _progressed(before: JsonObject, seen: JsonObject) -> bool:
    if not before or before["revision"] != seen["revision"]:
        return True
    old_before, old_now = (c["replicas"] - c["updatedReplicas"] for c in (before, seen))
    return bool(
        seen["updatedReplicas"] > before["updatedReplicas"]
        or old_now < old_before
        or seen["readyReplicas"] > before["readyReplicas"]
    )


def _set(conditions: list[JsonObject], kind: str, holds: bool | None, reason: str, message: str) -> list[JsonObject]:
    """Deployment conditions carry lastUpdateTime as well, which moves with any change."""
    status = "Unknown" if holds is None else str(holds)
    old = next((c for c in conditions if c["type"] == kind), {})
    updated = set_condition(conditions, kind, status, reason, message)
    same = (old.get("status"), old.get("reason"), old.get("message")) == (status, reason, message)
    moment = old.get("lastUpdateTime") if same else timestamp()
    return [{**c, "lastUpdateTime": moment} if c["type"] == kind else c for c in updated]


def _revision(rs: JsonObject) -> int:
    return int((rs["metadata"].get("annotations") or {}).get(REVISION, 0))


def _desired_annotations(spec: JsonObject) -> dict[str, str]:
    surge = max_surge(spec)
    return {
        "deployment.kubernetes.io/desired-replicas": str(spec["replicas"]),
        "deployment.kubernetes.io/max-replicas": str(spec["replicas"] + surge),
    }


def _sum(sets: list[JsonObject], field: str) -> int:
    return sum(int(rs["status"].get(field, 0)) for rs in sets)
