"""One container of one pod: its life from waiting to running to terminated and round again."""

import math
from dataclasses import dataclass, field
from typing import Final, Literal

from opsmend_cluster.kubelet.behaviour import Behaviour
from opsmend_cluster.kubelet.container_view import ContainerView
from opsmend_cluster.kubelet.log_options import LogLine
from opsmend_cluster.kubelet.rules import Rule
from opsmend_cluster.objects.clock import now, timestamp
from opsmend_cluster.objects.kinds import JsonObject

NEVER: Final = math.inf
LOG_LIMIT: Final = 1000
"""Lines kept of one run."""
BACK_OFF_SECONDS: Final = 10.0
BACK_OFF_LIMIT_SECONDS: Final = 300.0
"""The kubelet's own: 10 s, doubled up to 5 minutes, for crashes and for image pulls."""

Phase = Literal["waiting", "running", "terminated"]


@dataclass
class ProbeState:
    failures: int = 0
    due: float = 0.0
    passed: bool = False


@dataclass
class ContainerRun:
    """Times are of the monotonic clock unless they are text."""

    name: str
    image: str
    phase: Phase = "waiting"
    reason: str = "ContainerCreating"
    message: str = ""
    due: float = 0.0
    """When the next step is to be taken, NEVER for none."""
    back_off: float = 0.0
    """Kubernetes seconds of the last back-off."""
    restarts: int = 0
    starts: int = 0
    started_at: str = ""
    began: float = 0.0
    container_id: str = ""
    view: ContainerView | None = None
    behaviour: Behaviour = field(default_factory=Behaviour)
    rules: list[Rule] = field(default_factory=list)
    edition: int = -1
    terminated: JsonObject | None = None
    last_terminated: JsonObject | None = None
    log: list[LogLine] = field(default_factory=list)
    previous_log: list[LogLine] | None = None
    probes: dict[str, ProbeState] = field(default_factory=dict)
    ready: bool = False

    def next_back_off(self) -> float:
        self.back_off = min(max(self.back_off * 2, BACK_OFF_SECONDS), BACK_OFF_LIMIT_SECONDS)
        return self.back_off

    def wait(self, reason: str, message: str, due: float) -> None:
        if self.phase == "terminated":
            self.last_terminated = self.terminated
        self.phase, self.reason, self.message, self.due, self.ready = "waiting", reason, message, due, False

    def start(self, view: ContainerView, behaviour: Behaviour, container_id: str, at: float) -> None:
        if self.starts:
            self.restarts += 1
            self.previous_log = self.log
            if self.terminated is not None:
                self.last_terminated = self.terminated
        self.starts += 1
        self.phase, self.reason, self.message, self.terminated = "running", "", "", None
        self.view, self.behaviour, self.container_id = view, behaviour, container_id
        self.began, self.started_at, self.due = at, timestamp(), NEVER
        self.log = []
        self.probes = {kind: ProbeState() for kind in ("startup", "liveness", "readiness")}
        self.ready = False
        self.write(behaviour.log)

    def end(self, code: int, reason: str) -> None:
        self.phase, self.ready, self.due = "terminated", False, NEVER
        self.terminated = {
            "exitCode": code, "reason": reason, "startedAt": self.started_at, "finishedAt": timestamp(),
            "containerID": self.container_id,
        }  # fmt: skip

    def write(self, lines: list[str] | tuple[str, ...]) -> None:
        self.log = [*self.log, *((now(), line) for line in lines)][-LOG_LIMIT:]

    def status(self) -> JsonObject:
        """As in `containerStatuses`."""
        match self.phase:
            case "running":
                state: JsonObject = {"running": {"startedAt": self.started_at}}
            case "terminated":
                state = {"terminated": self.terminated}
            case _:
                state = {"waiting": {"reason": self.reason, **({"message": self.message} if self.message else {})}}
        return {
            "name": self.name, "state": state,
            "lastState": {"terminated": self.last_terminated} if self.last_terminated else {},
            "ready": self.ready, "restartCount": self.restarts, "image": self.image,
            "imageID": f"{self.image}@sha256:embedded" if self.starts else "",
            **({"containerID": self.container_id} if self.container_id else {}), "started": self.phase == "running",
        }  # fmt: skip
