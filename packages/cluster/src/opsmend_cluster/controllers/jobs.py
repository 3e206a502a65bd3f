"""Job → Pods until enough have succeeded, or too many failed. CronJobs are stored and start nothing."""

from typing import Final

from opsmend_cluster.controllers.owned import is_active, is_going, owned
from opsmend_cluster.controllers.pod_maker import MANAGER, PodMaker
from opsmend_cluster.kubelet.pod_status import set_condition
from opsmend_cluster.objects.clock import timestamp
from opsmend_cluster.objects.kinds import JOBS, PODS, JsonObject
from opsmend_cluster.writes.recorder import EventRecorder
from opsmend_cluster.writes.registry import Registry

_COMPONENT: Final = "job-controller"


class Jobs:
    def __init__(self, registry: Registry, pods: PodMaker, events: EventRecorder) -> None:
        self._registry = registry
        self._store = registry.store
        self._pods = pods
        self._events = events

    def sync(self, namespace: str) -> float:
        return min((self._sync_one(job) for job in self._store.all(JOBS, namespace)), default=float("inf"))

    def _sync_one(self, job: JsonObject) -> float:
        conditions = job["status"].get("conditions") or []
        if is_going(job) or any(c["type"] in ("Complete", "Failed") for c in conditions):
            return float("inf")
        job = self._selected(job)
        pods = owned(self._store, PODS, job)
        active = [pod for pod in pods if is_active(pod)]
        succeeded = sum(pod["status"]["phase"] == "Succeeded" for pod in pods)
        failed = sum(pod["status"]["phase"] == "Failed" for pod in pods) + sum(map(_restarts, active))
        spec = job["spec"]
        status: JsonObject = {"startTime": job["status"].get("startTime", timestamp())}
        if succeeded >= spec["completions"]:
            conditions = set_condition(
                conditions, "Complete", "True", "CompletionsReached", "Reached expected number of succeeded pods"
            )
            status["completionTime"] = timestamp()
            self._events.normal(job, "Completed", "Job completed", _COMPONENT)
        elif failed > spec["backoffLimit"]:
            message = "Job has reached the specified backoff limit"
            conditions = set_condition(conditions, "Failed", "True", "BackoffLimitExceeded", message)
            self._events.warning(job, "BackoffLimitExceeded", message, _COMPONENT)
            for pod in active:
                self._pods.delete(job, pod, _COMPONENT)
        elif not spec["suspend"]:
            for _ in range(min(spec["parallelism"], spec["completions"] - succeeded) - len(active)):
                self._pods.create(job, _COMPONENT, labels=_labels(job))
        counts = {"active": len(active), "succeeded": succeeded, "failed": failed}
        status |= {key: value for key, value in counts.items() if value}
        if conditions:
            status["conditions"] = conditions
        self._registry.update_status(JOBS, job, status, MANAGER)
        return self._pods.retry_at(job)

    def _selected(self, job: JsonObject) -> JsonObject:
        """A Job selects its pods by its own uid, unless it names a selector."""
        if job["spec"].get("selector"):
            return job
        selector = {"matchLabels": {"batch.kubernetes.io/controller-uid": job["metadata"]["uid"]}}
        return self._store.put(JOBS, {**job, "metadata": dict(job["metadata"]), "spec": {**job["spec"], "selector": selector}})


def _labels(job: JsonObject) -> dict[str, str]:
    metadata = job["metadata"]
    return {
        "batch.kubernetes.io/controller-uid": metadata["uid"], "batch.kubernetes.io/job-name": metadata["name"],
        "controller-uid": metadata["uid"], "job-name": metadata["name"],
    }  # fmt: skip


def _restarts(pod: JsonObject) -> int:
    return sum(status["restartCount"] for status in pod["status"].get("containerStatuses") or [])
