"""The kubelets of all nodes: runs the pods of a namespace, writes their status, keeps their logs."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from opsmend_cluster.kubelet.container_run import NEVER, ContainerRun
from opsmend_cluster.kubelet.container_view import MountError, volume_files
from opsmend_cluster.kubelet.lifecycle import Lifecycle
from opsmend_cluster.kubelet.log_options import LogLine, LogOptions
from opsmend_cluster.kubelet.pod_status import pod_status
from opsmend_cluster.kubelet.rules import Rule, UsesCpu
from opsmend_cluster.objects.clock import timestamp
from opsmend_cluster.objects.kinds import NODES, PODS, JsonObject
from opsmend_cluster.objects.quantities import parse_quantity
from opsmend_cluster.objects.status import bad_request
from opsmend_cluster.writes.registry import Registry

_STOP_SECONDS: Final = 1.0
"""Kubernetes seconds that a container takes to stop on SIGTERM."""
_IDLE: Final = Decimal("0.001")
"""Cores that any running container uses."""
_MOUNT_RETRY_SECONDS: Final = 30.0
_FOLLOW_INTERVAL: Final = 0.2
_WAITING_WORDS: Final = {
    "ErrImagePull": "trying and failing to pull image",
    "ImagePullBackOff": "trying and failing to pull image",
}


@dataclass
class PodRun:
    ip: str
    started_at: str
    init: list[ContainerRun]
    main: list[ContainerRun]
    stops_at: float | None = None
    mount_failed: bool = False
    mount_event_due: float = 0.0
    runs: dict[str, ContainerRun] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.runs = {run.name: run for run in [*self.init, *self.main]}


class Kubelet:
    def __init__(self, registry: Registry, lifecycle: Lifecycle) -> None:
        self._registry = registry
        self._store = registry.store
        self._lifecycle = lifecycle
        self._pods: dict[str, PodRun] = {}
        self._addresses = 0

    def sync(self, namespace: str) -> float:
        """Bring the namespace's pods up to now; returns when to come back (monotonic), NEVER for not before a change."""
        now = time.monotonic()
        return min((self._sync_pod(pod, now) for pod in self._store.all(PODS, namespace)), default=NEVER)

    def _sync_pod(self, pod: JsonObject, now: float) -> float:
        node = pod["spec"].get("nodeName")
        if not node or not self._reachable(node):
            return NEVER
        if "deletionTimestamp" in pod["metadata"]:
            return self._stop(pod, now)
        if pod["status"]["phase"] in ("Succeeded", "Failed"):
            return NEVER
        run = self._run_of(pod)
        addresses = {
            "hostIP": self._node_address(node),
            "podIP": run.ip,
            "podIPs": [{"ip": run.ip}],
            "startTime": run.started_at,
        }
        addressed = {**pod, "status": {**pod["status"], **addresses}}
        if self._mount(addressed, run, now):
            self._advance(addressed, run, now)
        status = pod_status(addressed, run.init, run.main)
        self._registry.update_status(PODS, pod, status, "kubelet")
        due = min((container.due for container in run.runs.values()), default=NEVER)
        return min(due, run.mount_event_due) if run.mount_failed else due

    def _reachable(self, name: str) -> bool:
        """A kubelet that stopped posting its status runs nothing and reports nothing."""
        node = self._store.get(NODES, "", name)
        conditions = ((node or {}).get("status") or {}).get("conditions") or []
        return any(c["type"] == "Ready" and c["status"] != "Unknown" for c in conditions)

    def _node_address(self, name: str) -> str:
        node = self._store.get(NODES, "", name) or {}
        addresses = (node.get("status") or {}).get("addresses") or []
        return next((a["address"] for a in addresses if a["type"] == "InternalIP"), "")

    def _run_of(self, pod: JsonObject) -> PodRun:
        uid = pod["metadata"]["uid"]
        if uid not in self._pods:
            self._addresses += 1
            ip = f"10.244.{self._addresses // 250 % 250}.{self._addresses % 250 + 2}"
            spec = pod["spec"]
            init = [ContainerRun(c["name"], c["image"], reason="PodInitializing") for c in spec.get("initContainers") or []]
            main = [ContainerRun(c["name"], c["image"]) for c in spec["containers"]]
            self._pods[uid] = PodRun(ip, timestamp(), init, main)
        return self._pods[uid]

    def _mount(self, pod: JsonObject, run: PodRun, now: float) -> bool:
        """Whether the volumes are there. They are set up before the first start and looked at again before every later one."""
        try:
            volume_files(self._store, pod)
        except MountError as error:
            if any(container.phase == "running" for container in run.main):
                return True
            if not run.mount_failed or now >= run.mount_event_due:
                host = pod["spec"]["nodeName"]
                self._lifecycle.events.warning(pod, "FailedMount", str(error), "kubelet", host=host)
                run.mount_event_due = now + self._lifecycle.timing.real(_MOUNT_RETRY_SECONDS)
            run.mount_failed = True
            return False
        run.mount_failed = False
        return True

    def _advance(self, pod: JsonObject, run: PodRun, now: float) -> None:
        spec = pod["spec"]
        for container, state in zip(spec.get("initContainers") or [], run.init, strict=True):
            self._lifecycle.step(pod, container, state, now)
            if state.terminated is None or state.terminated["exitCode"]:
                return
        for container, state in zip(spec["containers"], run.main, strict=True):
            if state.image != container["image"]:
                self._replace_image(state, container["image"], now)
            self._lifecycle.step(pod, container, state, now)

    def _replace_image(self, run: ContainerRun, image: str, now: float) -> None:
        """An in-place edit of a pod's image: the container is killed and started anew."""
        run.image = image
        if run.phase == "running":
            run.end(0, "Completed")
        run.wait("ContainerCreating", "", now)

    def _stop(self, pod: JsonObject, now: float) -> float:
        metadata = pod["metadata"]
        run = self._run_of(pod)
        if run.stops_at is None:
            seconds = min(float(metadata.get("deletionGracePeriodSeconds", 30)), _STOP_SECONDS)
            run.stops_at = now + self._lifecycle.timing.real(seconds)
            for container in run.main:
                if container.phase == "running":
                    text = f"Stopping container {container.name}"
                    self._lifecycle.events.normal(pod, "Killing", text, "kubelet", host=pod["spec"]["nodeName"])
        if now < run.stops_at:
            return run.stops_at
        if not metadata.get("finalizers"):
            self._store.remove(PODS, metadata["namespace"], metadata["name"])
        return NEVER

    def forget(self, uid: str) -> None:
        """The pod is gone, and its logs with it."""
        self._pods.pop(uid, None)

    def listens(self, pod: JsonObject, port: int) -> bool:
        """Whether any running container of `pod` listens on `port`."""
        run = self._pods.get(pod["metadata"]["uid"])
        return run is not None and any(c.phase == "running" and c.behaviour.listens_on(port) for c in run.main)

    def cpu(self, pod: JsonObject) -> dict[str, Decimal]:
        """Cores that each running container of `pod` uses: its share of every load that its rules lay on it."""
        run = self._pods.get(pod["metadata"]["uid"])
        running = [c for c in run.main if c.phase == "running"] if run else []
        return {container.name: sum(map(self._share, container.rules), _IDLE) for container in running}

    def _share(self, rule: Rule) -> Decimal:
        if not isinstance(rule.then, UsesCpu):
            return Decimal(0)
        carrying = sum(
            container.phase == "running" and any(rule.name == other.name for other in container.rules)
            for run in self._pods.values()
            for container in run.main
        )
        return parse_quantity(rule.then.cores) / max(carrying, 1)

    def log(self, pod: JsonObject, options: LogOptions) -> str:
        """Raises:
        ApiError: 400, no such container, none chosen among several, or it has not run (before).
        """
        return options.cut(self._lines(pod, options))

    async def follow_log(self, pod: JsonObject, options: LogOptions) -> AsyncIterator[bytes]:
        """The log so far and what comes, until the container's run ends."""
        sent: list[LogLine] = []
        container = self._container(pod, options)
        while True:
            lines = self._lines(pod, options)
            if lines[: len(sent)] != sent:
                return
            yield options.cut(lines[len(sent) :]).encode()
            sent = lines
            run = self._pods.get(pod["metadata"]["uid"])
            if run is None or run.runs[container].phase != "running":
                return
            await asyncio.sleep(_FOLLOW_INTERVAL)

    def _container(self, pod: JsonObject, options: LogOptions) -> str:
        name, spec = pod["metadata"]["name"], pod["spec"]
        names = [c["name"] for c in [*(spec.get("initContainers") or []), *spec["containers"]]]
        if options.container:
            if options.container not in names:
                raise bad_request(f"container {options.container} is not valid for pod {name}")
            return options.container
        if len(names) > 1:
            raise bad_request(f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]")
        return str(names[0])

    def _lines(self, pod: JsonObject, options: LogOptions) -> list[LogLine]:
        container, name = self._container(pod, options), pod["metadata"]["name"]
        pod_run = self._pods.get(pod["metadata"]["uid"])
        if pod_run is None:
            if options.previous:
                raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
            raise bad_request(f'container "{container}" in pod "{name}" is waiting to start: ContainerCreating')
        run = pod_run.runs[container]
        if options.previous:
            ended = run.log if run.phase == "waiting" and run.starts else run.previous_log
            if ended is None:
                raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
            return ended
        if not run.starts:
            why = _WAITING_WORDS.get(run.reason, run.reason)
            raise bad_request(f'container "{container}" in pod "{name}" is waiting to start: {why}')
        return run.log
