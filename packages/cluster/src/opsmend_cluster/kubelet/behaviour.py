"""What a started container will do, worked out once from its view and the rules."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from opsmend_cluster.kubelet.container_view import ContainerView
from opsmend_cluster.kubelet.nginx import start_nginx
from opsmend_cluster.kubelet.rules import (
    Exits,
    Listens,
    OutOfMemory,
    ReadsNginxConfiguration,
    Rule,
    RuleBook,
    Writes,
)

_NGINX_STARTED = (
    '[notice] 1#1: using the "epoll" event method', "[notice] 1#1: nginx/1.27.1",
    "[notice] 1#1: start worker processes", "[notice] 1#1: start worker process 29",
)  # fmt: skip


@dataclass
class Ending:
    """How a run ends; `after_seconds` in Kubernetes seconds after its start."""

    code: int
    reason: str
    after_seconds: float
    log: tuple[str, ...] = ()


@dataclass
class Behaviour:
    log: list[str] = field(default_factory=list)
    ports: tuple[int, ...] | None = None
    """Where it listens; None: wherever it is asked, for a container that declares no port."""
    paths: tuple[str, ...] = (".*",)
    ending: Ending | None = None

    def listens_on(self, port: int) -> bool:
        return self.ports is None or port in self.ports

    def serves(self, path: str) -> bool:
        return any(re.search(pattern, path) for pattern in self.paths)


def behave(
    view: ContainerView, rules: list[Rule], book: RuleBook, resolves: Callable[[str, str], bool], job: bool
) -> Behaviour:
    """The behaviour of a container that starts now. `resolves` (namespace, host) tells which names exist; a container of a
    Job ends well after a second unless a rule says otherwise."""
    behaviour = Behaviour(ports=view.ports or None, ending=Ending(0, "Completed", 1) if job else None)
    if not job:
        behaviour.log.append(f"{view.container}: started, listening on {', '.join(f':{p}' for p in view.ports) or 'no port'}")
    for rule in book.active(rules, view):
        _follow(rule, behaviour, view, resolves)
        if rule.times is not None and isinstance(rule.then, Exits | OutOfMemory):
            book.strike(rule)
    if behaviour.ending is not None:
        behaviour.log = [line for line in behaviour.log if not line.startswith(f"{view.container}: started")]
    return behaviour


def _follow(rule: Rule, behaviour: Behaviour, view: ContainerView, resolves: Callable[[str, str], bool]) -> None:
    match rule.then:
        case Exits(code=code, log=log, after_seconds=after):
            behaviour.ending = Ending(code, "Error" if code else "Completed", after, log)
        case OutOfMemory(log=log, after_seconds=after):
            behaviour.ending = Ending(137, "OOMKilled", after, log)
        case Listens(ports=ports, paths=paths):
            behaviour.ports, behaviour.paths = ports, paths
        case Writes(log=log):
            behaviour.log += log
        case ReadsNginxConfiguration():
            _run_nginx(behaviour, view, resolves)


def _run_nginx(behaviour: Behaviour, view: ContainerView, resolves: Callable[[str, str], bool]) -> None:
    start = start_nginx(view.files, lambda host: resolves(view.namespace, host))
    entrypoint = "/docker-entrypoint.sh: Configuration complete; ready for start up"
    behaviour.ports = start.ports
    if start.error:
        plain = start.error.removeprefix("nginx: ")
        behaviour.ending = Ending(1, "Error", 0.5, (entrypoint, f"{plain.replace('[emerg]', '[emerg] 1#1:')}", start.error))
    else:
        behaviour.log = [entrypoint, *_NGINX_STARTED]
