"""How containers fail: which ones, how their last run ended, and whether they ever ran."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from opsmend.domain.health import is_steady
from opsmend.domain.snapshot import Container, Event, Pod, Snapshot, Termination

BACK_OFF_CAP: Final = timedelta(minutes=5)
"""The kubelet waits at most five minutes between two starts of a crashing container."""

KILLED_BEFORE: Final = timedelta(minutes=5)
"""A kill that is told so long before a run ended did not end it: grace periods are shorter."""

KILLED: Final = frozenset({137, 143})
"""Exit codes of a process ended from outside: 128 + SIGKILL, 128 + SIGTERM."""


def containers(pods: Iterable[Pod]) -> Iterator[tuple[Pod, Container]]:
    """Every container of the pods that are there to stay.

    Not of those being deleted, nor of those that the kubelet or the scheduler ended as a whole (Evicted, Preempting,
    NodeShutdown): their processes did not fail, and their controller has replaced them.
    """
    for pod in pods:
        if not pod.deleting and not (pod.phase == "Failed" and pod.reason):
            for container in pod.containers:
                yield pod, container


def failed_run(container: Container) -> Termination | None:
    """How the run that counts as the latest failure ended: the present end, else the one before the present run.

    A process that ends with 0 has failed too when the kubelet holds it back from starting again; else it is done, as an init
    container is that went through at its second try.
    """
    if container.terminated is not None and container.terminated.exit_code == 0 and container.terminated.reason != "OOMKilled":
        return None
    for run in (container.terminated, container.last_terminated):
        if run is not None and (run.exit_code != 0 or run.reason == "OOMKilled" or container.waiting_reason):
            return run
    return None


def is_failing(container: Container, now: datetime) -> bool:
    """Whether it is down because its process ended, or up again for too short a time to count as well."""
    if failed_run(container) is None:
        return False
    return not container.running or not is_steady(container, now)


def failing_log(container: Container) -> str:
    """The log of the run that failed. A stopped container's own log is that run's; a running one's is the next run's."""
    if container.running:
        return container.previous_log
    return container.log or container.previous_log


def ran_well_before(pod: Pod, container: Container, now: datetime) -> bool:
    """Whether the container must have run well for long, going by its age and how few restarts it has.

    With R restarts, a container that failed from the start is at most about R x (its run + the back-off cap) old.
    """
    run = failed_run(container)
    if pod.created_at is None or run is None or run.started_at is None or run.finished_at is None:
        return False
    longest = (container.restarts + 1) * (BACK_OFF_CAP + (run.finished_at - run.started_at))
    return now - pod.created_at > 2 * longest


def events_about(snapshot: Snapshot, pods: Iterable[Pod], *reasons: str) -> tuple[Event, ...]:
    """Events of these reasons about these pods, newest last."""
    about = {f"Pod {pod.name}" for pod in pods}
    found = [e for e in snapshot.events if e.about in about and e.reason in reasons]
    return tuple(sorted(found, key=lambda e: e.last_seen or snapshot.taken_at))


def killed_by_probe(snapshot: Snapshot, pod: Pod, container: Container) -> bool:
    """Whether the kubelet itself ends this container because of a probe (liveness and startup probes do that)."""
    run = failed_run(container)
    if run is not None and run.reason == "OOMKilled":
        return False
    ended = run.finished_at if run else None
    for event in events_about(snapshot, [pod], "Killing", "Unhealthy"):
        if ended and event.last_seen and ended - event.last_seen > KILLED_BEFORE:
            continue
        text = event.message.lower()
        names_it = f"container {container.name}" in text or len([c for c in pod.containers if not c.init]) == 1
        if names_it and ("liveness" in text or "startup" in text):
            return event.reason == "Killing" or (run is not None and run.exit_code in KILLED)
    return False
