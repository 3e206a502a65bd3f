"""The status of a pod, from the state of its containers."""

from opsmend_cluster.kubelet.container_run import ContainerRun
from opsmend_cluster.objects.clock import timestamp
from opsmend_cluster.objects.kinds import JsonObject


def pod_status(pod: JsonObject, init: list[ContainerRun], main: list[ContainerRun]) -> JsonObject:
    """`pod` as it stands, its addresses known; `init` and `main` its containers in their order."""
    initialized = all(run.terminated is not None and run.terminated["exitCode"] == 0 for run in init)
    unready = [run.name for run in main if not run.ready]
    phase = _phase(pod, initialized, main)
    status = {**pod["status"], "phase": phase}
    finished = phase == "Succeeded"
    reason = "PodCompleted" if finished else "ContainersNotReady"
    message = f"containers with unready status: [{' '.join(unready)}]" if unready and not finished else ""
    conditions = pod["status"].get("conditions") or []
    conditions = _set(conditions, "PodReadyToStartContainers", True)
    missing = " ".join(run.name for run in init if run.terminated is None or run.terminated["exitCode"])
    conditions = _set(
        conditions, "Initialized", initialized, "ContainersNotInitialized", f"containers with incomplete status: [{missing}]"
    )
    for kind in ("Ready", "ContainersReady"):
        conditions = _set(conditions, kind, initialized and not unready, reason, message)
    status["conditions"] = conditions
    if init:
        status["initContainerStatuses"] = [run.status() for run in init]
    status["containerStatuses"] = [run.status() for run in main]
    return status


def _phase(pod: JsonObject, initialized: bool, main: list[ContainerRun]) -> str:
    if not initialized or not any(run.starts for run in main):
        return "Pending"
    if all(run.phase == "terminated" for run in main) and pod["spec"].get("restartPolicy") != "Always":
        failed = any(run.terminated and run.terminated["exitCode"] for run in main)
        return "Failed" if failed else "Succeeded"
    return "Running"


def _set(conditions: list[JsonObject], kind: str, holds: bool, reason: str = "", message: str = "") -> list[JsonObject]:
    """`conditions` with this one; reason and message are kept for False only."""
    return set_condition(conditions, kind, "True" if holds else "False", "" if holds else reason, "" if holds else message)


def set_condition(
    conditions: list[JsonObject], kind: str, status: str, reason: str = "", message: str = ""
) -> list[JsonObject]:
    """`conditions` with the one of `kind` set; its lastTransitionTime moves only when its status does."""
    old = next((c for c in conditions if c["type"] == kind), None)
    same = old is not None and old["status"] == status
    condition: JsonObject = {
        "type": kind, "status": status,
        "lastTransitionTime": old["lastTransitionTime"] if same and old is not None else timestamp(),
    }  # fmt: skip
    if reason:
        condition["reason"] = reason
    if message:
        condition["message"] = message
    return [condition if c is old else c for c in conditions] if old is not None else [*conditions, condition]
