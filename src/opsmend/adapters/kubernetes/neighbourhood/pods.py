"""Pods, their containers, and the logs of those that are not well."""

import asyncio
import re
from typing import Any, Final

from opsmend.adapters.kubernetes.neighbourhood.fields import conditions_of, moment, text
from opsmend.adapters.kubernetes.reading import Reading
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Container, Pod, Termination
from opsmend.domain.target import Kind, ObjectRef
from opsmend.policy.redaction import redact, redact_json

_REVISION_LABELS: Final = ("pod-template-hash", "controller-revision-hash")

_SPECS_KEPT: Final = 5

LOG_PODS: Final = 3
"""Kinds of failure of which a log is read. Siblings of one revision that end alike are of one kind."""
_LOG_TRIES: Final = 2
"""Pods of one kind that are asked until one has a log: that of the first may be on a lost node."""
HEALTHY_LOG_PODS: Final = 2
LOG_LINES: Final = 60
LOG_BYTES: Final = 16_384
_CLEANED_AWAY: Final = re.compile(r"unable to retrieve container logs for \S+\s*")
"""A kubelet's whole answer, with 200, about a container that it has removed and that the pod's status still names: nothing but
the text tells it from a log. https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/kuberuntime/kuberuntime_container.go
"""
LOG_KEPT: Final = 6_000
"""Characters of a log that are kept, from its end: where the reason of a crash stands."""


def pod_from(obj: JsonObject) -> Pod:
    """Without its spec: see with_specs."""
    metadata, status = obj["metadata"], obj.get("status", {})
    labels = metadata.get("labels") or {}
    return Pod(
        name=metadata["name"],
        namespace=metadata.get("namespace", ""),
        labels=labels,
        phase=status.get("phase") or "",
        reason=status.get("reason") or "",
        node=obj["spec"].get("nodeName") or "",
        revision_hash=next((labels[key] for key in _REVISION_LABELS if key in labels), ""),
        created_at=moment(metadata.get("creationTimestamp")),
        deleting="deletionTimestamp" in metadata,
        conditions=conditions_of(obj),
        containers=(
            *(_container_from(c, init=True) for c in status.get("initContainerStatuses") or ()),
            *(_container_from(c, init=False) for c in status.get("containerStatuses") or ()),
        ),
    )


def _container_from(status: dict[str, Any], *, init: bool) -> Container:
    state, last = status.get("state") or {}, status.get("lastState") or {}
    waiting = state.get("waiting") or {}
    return Container(
        name=status["name"],
        init=init,
        image=status.get("image") or "",
        ready=status.get("ready", False),
        running="running" in state,
        restarts=status.get("restartCount", 0),
        waiting_reason=waiting.get("reason") or "",
        waiting_message=text(waiting.get("message")),
        terminated=_termination_from(state.get("terminated")),
        last_terminated=_termination_from(last.get("terminated")),
    )


def _termination_from(terminated: dict[str, Any] | None) -> Termination | None:
    if terminated is None:
        return None
    return Termination(
        reason=terminated.get("reason") or "",
        exit_code=terminated.get("exitCode", 0),
        message=text(terminated.get("message"), 2048),
        started_at=moment(terminated.get("startedAt")),
        finished_at=moment(terminated.get("finishedAt")),
    )


def is_sick(pod: Pod) -> bool:
    """Not ready though it should be, or a container of it failed at least once."""
    if pod.phase == "Succeeded":
        return False
    return not pod.ready or any(c.last_terminated and c.last_terminated.exit_code for c in pod.containers)


def sick_first(pods: tuple[Pod, ...]) -> list[Pod]:
    """The sick ones first, and among them the newest: they are of the revision in question."""
    newest_first = sorted(pods, key=lambda p: (p.created_at.timestamp() if p.created_at else 0.0, p.name), reverse=True)
    return sorted(newest_first, key=lambda pod: not is_sick(pod))


def with_specs(pods: tuple[Pod, ...], objects: list[JsonObject]) -> tuple[Pod, ...]:
    """The pods with the redacted specs of a few, sick ones first: those of siblings say the same."""
    chosen = {pod.name for pod in sick_first(pods)[:_SPECS_KEPT]}
    specs = {obj["metadata"]["name"]: obj["spec"] for obj in objects}
    return tuple(pod.model_copy(update={"spec": redact_json(specs[pod.name])}) if pod.name in chosen else pod for pod in pods)


async def with_logs(reading: Reading, pods: tuple[Pod, ...], *, of_healthy: bool = False) -> tuple[Pod, ...]:
    """The pods with the log tails of the containers that are not well, one pod for each kind of failure.

    `of_healthy`: where none is sick, of the newest ones all the same, for what they call may fail without making them unready.
    """
    ordered = sick_first(pods)
    kinds: dict[tuple[Any, ...], list[Pod]] = {}
    for pod in ordered:
        if is_sick(pod):
            kinds.setdefault(_kind_of_failure(pod), []).append(pod)
    every = not kinds and of_healthy
    chosen = [[pod] for pod in ordered[:HEALTHY_LOG_PODS]] if every else list(kinds.values())[:LOG_PODS]
    found = await asyncio.gather(*(_first_with_logs(reading, alike, every=every) for alike in chosen))
    read = {pod.name: pod for pod in found}
    return tuple(read.get(pod.name, pod) for pod in pods)


async def with_one_log(reading: Reading, pods: tuple[Pod, ...]) -> tuple[Pod, ...]:
    """The pods with the one log that tells most: of a sick one, of the run that failed. One call, or none where none ran."""
    for pod in filter(is_sick, sick_first(pods)):
        for container in pod.containers:
            if update := await _one_log(reading, pod, container):
                told = container.model_copy(update=update)
                others = tuple(told if c.name == container.name else c for c in pod.containers)
                read = pod.model_copy(update={"containers": others})
                return tuple(read if other.name == pod.name else other for other in pods)
    return pods


async def _one_log(reading: Reading, pod: Pod, container: Container) -> dict[str, str]:
    if container.terminated is not None and container.terminated.exit_code:
        return {"log": await _log(reading, pod, container) or ""}
    if container.last_terminated is not None and container.last_terminated.exit_code:
        return {"previous_log": await _log(reading, pod, container, previous=True) or ""}
    if container.running and not container.ready:
        return {"log": await _log(reading, pod, container) or ""}
    return {}


def _kind_of_failure(pod: Pod) -> tuple[Any, ...]:
    """Alike wherever in its loop of crashes a pod is just now."""
    return (pod.revision_hash, *((c.name, c.ready, _exit_code(c)) for c in pod.containers))


def _exit_code(container: Container) -> int | None:
    ended = container.terminated or container.last_terminated
    return ended.exit_code if ended else None


async def _first_with_logs(reading: Reading, alike: list[Pod], *, every: bool) -> Pod:
    for pod in alike[:_LOG_TRIES]:
        read = await _pod_with_logs(reading, pod, every=every)
        if any(container.log or container.previous_log for container in read.containers):
            break
    return read


async def _pod_with_logs(reading: Reading, pod: Pod, *, every: bool) -> Pod:
    containers = await asyncio.gather(*(_container_with_logs(reading, pod, c, every=every) for c in pod.containers))
    return pod.model_copy(update={"containers": tuple(containers)})


async def _container_with_logs(reading: Reading, pod: Pod, container: Container, *, every: bool) -> Container:
    """A waiting container has only its last run's log; one that never ran has none."""
    failed_before = container.last_terminated is not None and container.last_terminated.exit_code != 0
    failed_now = container.terminated is not None and container.terminated.exit_code != 0
    update = {}
    if failed_now or (container.running and (every or failed_before or not container.ready)):
        update["log"] = await _log(reading, pod, container) or ""
    if failed_before and not failed_now:
        previous = await _log(reading, pod, container, previous=True)
        if previous is None:
            # A node keeps one ended run. That it has thrown away the one that the status calls the last means that another has
            # ended since, though the status does not say so yet: in a loop of crashes, one that ends as it begins.
            previous = update.get("log") or await _log(reading, pod, container)
        update["previous_log"] = previous or ""
    return container.model_copy(update=update) if update else container


async def _log(reading: Reading, pod: Pod, container: Container, *, previous: bool = False) -> str | None:
    """None where the node has thrown it away; empty where it could not be read."""
    query = {"container": container.name, "tailLines": str(LOG_LINES), "limitBytes": str(LOG_BYTES)}
    if previous:
        query["previous"] = "true"
    what = f"{'previous log' if previous else 'log'} of pod {pod.name} container {container.name}"
    ref = ObjectRef(kind=Kind.POD, namespace=pod.namespace, name=pod.name)
    tail = await reading.attempt(what, reading.log(ref, query), "")
    if _CLEANED_AWAY.fullmatch(tail):
        reading.unseen.append(f"{what}: the node has removed that container meanwhile")
        return None
    # A server may answer more than it was asked for, and redaction takes time that grows with the text.
    return redact(tail[-LOG_BYTES:])[-LOG_KEPT:]
