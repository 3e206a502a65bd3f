"""The steps of one container: pull, create, start, probe, end, back off. In the kubelet's and containerd's words."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from opsmend_cluster.kubelet import images
from opsmend_cluster.kubelet.behaviour import behave
from opsmend_cluster.kubelet.container_run import NEVER, ContainerRun
from opsmend_cluster.kubelet.container_view import ConfigError, view_of
from opsmend_cluster.kubelet.probes import probe_failure
from opsmend_cluster.kubelet.rules import PullFails, RuleBook
from opsmend_cluster.objects.kinds import JsonObject
from opsmend_cluster.objects.store import Store
from opsmend_cluster.timing import Timing
from opsmend_cluster.writes.recorder import EventRecorder

_LOUD_FAILURES: Final = 3
_QUIET_EVERY: Final = 10
"""Each of the first probe failures makes an event, later ones every tenth: the count says enough and writes are not free."""


@dataclass(frozen=True)
class Lifecycle:
    store: Store
    book: RuleBook
    events: EventRecorder
    timing: Timing
    random: Random
    resolves: Callable[[str, str], bool]

    def step(self, pod: JsonObject, container: JsonObject, run: ContainerRun, now: float) -> None:
        """Bring `run` up to `now`; sets `run.due` to when it wants to be looked at again."""
        if run.phase == "terminated":
            self._after_end(pod, run, now)
        if run.phase == "waiting" and (now >= run.due or run.reason == "CreateContainerConfigError"):
            self._try_start(pod, container, run, now)
        if run.phase == "running":
            self._run(pod, container, run, now)

    def _event(self, pod: JsonObject, container: str, kind: str, reason: str, message: str) -> None:
        host, field = pod["spec"].get("nodeName", ""), f"spec.containers{{{container}}}"
        if kind == "Warning":
            self.events.warning(pod, reason, message, "kubelet", host=host, field=field)
        else:
            self.events.normal(pod, reason, message, "kubelet", host=host)

    def _try_start(self, pod: JsonObject, container: JsonObject, run: ContainerRun, now: float) -> None:
        image = container["image"]
        if not images.is_valid(image):
            if run.reason != "InvalidImageName":
                message = images.invalid_message(image)
                self._event(pod, run.name, "Warning", "InspectFailed", message)
                self._event(pod, run.name, "Warning", "Failed", "Error: InvalidImageName")
                run.wait("InvalidImageName", message, NEVER)
            return
        try:
            view = view_of(self.store, pod, container)
        except ConfigError as error:
            if now >= run.due:
                self._event(pod, run.name, "Warning", "Failed", f"Error: {error}")
                run.wait("CreateContainerConfigError", str(error), now + self.timing.real(run.next_back_off()))
            return
        rules = self.book.describing(view)
        pulls = [rule for rule in self.book.active(rules, view) if isinstance(rule.then, PullFails)]
        if pulls:
            self.book.strike(pulls[0])
            effect = pulls[0].then
            assert isinstance(effect, PullFails)
            self._pull_failed(pod, run, image, images.pull_message(image, effect.cause), now)
            return
        job = any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences") or [])
        init = container in (pod["spec"].get("initContainers") or [])
        run.rules, run.edition = rules, self.book.edition
        run.start(view, behave(view, rules, self.book, self.resolves, job or init), self._container_id(), now)
        self._event(pod, run.name, "Normal", "Pulled", f'Container image "{image}" already present on machine')
        self._event(pod, run.name, "Normal", "Created", f"Created container {run.name}")
        self._event(pod, run.name, "Normal", "Started", f"Started container {run.name}")

    def _container_id(self) -> str:
        return f"containerd://{self.random.getrandbits(256):064x}"

    def _pull_failed(self, pod: JsonObject, run: ContainerRun, image: str, message: str, now: float) -> None:
        """A failed pull shows as ErrImagePull, and as ImagePullBackOff from a second later until the next try."""
        if run.reason != "ErrImagePull":
            self._event(pod, run.name, "Normal", "Pulling", f'Pulling image "{image}"')
            self._event(pod, run.name, "Warning", "Failed", f'Failed to pull image "{image}": {message}')
            self._event(pod, run.name, "Warning", "Failed", "Error: ErrImagePull")
            run.wait("ErrImagePull", message, now + self.timing.real(1))
            return
        self._event(pod, run.name, "Normal", "BackOff", f'Back-off pulling image "{image}"')
        self._event(pod, run.name, "Warning", "Failed", "Error: ImagePullBackOff")
        text = f'Back-off pulling image "{image}": ErrImagePull: {message}'
        run.wait("ImagePullBackOff", text, now + self.timing.real(run.next_back_off()))

    def _run(self, pod: JsonObject, container: JsonObject, run: ContainerRun, now: float) -> None:
        ending = run.behaviour.ending
        run.due = NEVER
        if ending is not None:
            ends = run.began + self.timing.real(ending.after_seconds)
            if now >= ends:
                run.write(ending.log)
                run.end(ending.code, ending.reason)
                self._after_end(pod, run, now)
                return
            run.due = ends
        if run.edition != self.book.edition and run.view is not None:
            run.rules, run.edition = self.book.describing(run.view), self.book.edition
        self._probe_all(pod, container, run, now)

    def _probe_all(self, pod: JsonObject, container: JsonObject, run: ContainerRun, now: float) -> None:
        if "startupProbe" in container and not run.probes["startup"].passed:
            if self._probe(pod, container, run, "startup", now):
                self._kill(pod, run, "startup", now)
                return
            if not run.probes["startup"].passed:
                return
        if "livenessProbe" in container and self._probe(pod, container, run, "liveness", now):
            self._kill(pod, run, "liveness", now)
            return
        failed = self._probe(pod, container, run, "readiness", now)
        state = run.probes["readiness"]
        if state.passed and not state.failures:
            run.ready = run.behaviour.ending is None
        elif failed:
            run.ready = False

    def _probe(self, pod: JsonObject, container: JsonObject, run: ContainerRun, kind: str, now: float) -> bool:
        """Ask once if it is time; whether the probe has failed as often as its threshold allows."""
        probe, state = container.get(f"{kind}Probe") or {}, run.probes[kind]
        threshold = int(probe.get("failureThreshold", 1))
        first = run.began + self.timing.real(probe.get("initialDelaySeconds", 0))
        if now < max(first, state.due):
            run.due = min(run.due, max(first, state.due))
            return state.failures >= threshold and not state.passed
        assert run.view is not None
        failure = probe_failure(kind, container, run.view, run.behaviour, run.rules, self.book)
        if not failure:
            state.failures, state.due, state.passed = 0, 0.0, True
            return False
        state.failures += 1
        state.due = now + self.timing.real(probe.get("periodSeconds", 10))
        run.due = min(run.due, state.due)
        if state.failures <= _LOUD_FAILURES or state.failures % _QUIET_EVERY == 0:
            self._event(pod, run.name, "Warning", "Unhealthy", f"{kind.capitalize()} probe failed: {failure}")
        if state.failures >= threshold:
            state.passed = False
        return state.failures >= threshold

    def _kill(self, pod: JsonObject, run: ContainerRun, kind: str, now: float) -> None:
        message = f"Container {run.name} failed {kind} probe, will be restarted"
        self._event(pod, run.name, "Normal", "Killing", message)
        run.end(137, "Error")
        self._after_end(pod, run, now)

    def _after_end(self, pod: JsonObject, run: ContainerRun, now: float) -> None:
        """Restart as the pod's policy says: at once the first time, then after a growing back-off."""
        if run.terminated is None:
            return
        policy = pod["spec"].get("restartPolicy", "Always")
        if policy == "Always" and any(c["name"] == run.name for c in pod["spec"].get("initContainers") or []):
            policy = "OnFailure"  # one that went through is done, whatever the pod's policy
        if policy == "Never" or (policy == "OnFailure" and not run.terminated["exitCode"]):
            return
        if run.starts == 1:
            run.due = now + self.timing.real(1)
            run.wait("CrashLoopBackOff", "", run.due)
            return
        metadata = pod["metadata"]
        where = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
        seconds = run.next_back_off()
        shown = f"{seconds:.0f}s" if seconds < 60 else f"{int(seconds // 60)}m{int(seconds % 60)}s"
        self._event(pod, run.name, "Warning", "BackOff", f"Back-off restarting failed container {run.name} in pod {where}")
        message = f"back-off {shown} restarting failed container={run.name} pod={where}"
        run.wait("CrashLoopBackOff", message, now + self.timing.real(seconds))
