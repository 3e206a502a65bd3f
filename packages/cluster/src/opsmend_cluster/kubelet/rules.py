"""Failure rules: what a container does, decided by what it effectively is. Data, so that only a right fix heals.

    rules:
      - name: the registry lacks this tag
        when: {image: "^shop/web:(?!1\\.)"}
        then: {effect: pull_fails}
      - name: the app needs 128 MiB
        when: {image: "^shop/web", memory_limit_below: 128Mi}
        then: {effect: out_of_memory, log: ["allocating cache"]}
      - name: the app exits without its database's address
        when: {image: "^shop/web", env: [{name: DATABASE_URL, missing: true}]}
        then: {effect: exits, code: 2, log: ["FATAL: DATABASE_URL is not set"]}

All conditions of `when` must hold. Regular expressions are searched, not matched whole.
"""

import re
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from opsmend_cluster.kubelet.container_view import ContainerView
from opsmend_cluster.objects.quantities import parse_quantity


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EnvCondition(_Data):
    """About one environment variable: missing, or its value (not) matching."""

    name: str
    missing: bool = False
    value: str | None = None
    value_not: str | None = None

    def holds(self, env: dict[str, str]) -> bool:
        if self.missing:
            return self.name not in env
        text = env.get(self.name)
        return text is not None and _fits(text, self.value, self.value_not)


class FileCondition(_Data):
    """About a mounted file (of a ConfigMap or Secret), its path a regular expression: missing, or its content."""

    path: str
    missing: bool = False
    content: str | None = None
    content_not: str | None = None

    def holds(self, files: dict[str, str]) -> bool:
        found = [text for path, text in files.items() if re.search(self.path, path)]
        if self.missing:
            return not found
        return any(_fits(text, self.content, self.content_not) for text in found)


class When(_Data):
    """Which containers a rule is about."""

    namespace: str | None = None
    pod: str | None = None
    container: str | None = None
    image: str | None = None
    image_not: str | None = None
    node: str | None = None
    command: str | None = None
    """Searched in command and args, joined by spaces."""
    labels: dict[str, str] = Field(default_factory=dict)
    env: tuple[EnvCondition, ...] = ()
    files: tuple[FileCondition, ...] = ()
    memory_limit_below: str | None = None
    """Quantity. A container without a limit has all it needs."""
    service_down: str | None = None
    """A Service of the pod's namespace (or `name.namespace`) that no ready, listening pod stands behind. Looked at live."""

    def describes(self, view: ContainerView) -> bool:
        """Whether the lasting conditions hold: all but `service_down`."""
        texts = (
            (self.namespace, view.namespace), (self.pod, view.pod), (self.container, view.container),
            (self.image, view.image), (self.node, view.node), (self.command, " ".join(view.command)),
        )  # fmt: skip
        return (
            all(pattern is None or re.search(pattern, text) for pattern, text in texts)
            and (self.image_not is None or not re.search(self.image_not, view.image))
            and self.labels.items() <= view.labels.items()
            and all(condition.holds(view.env) for condition in self.env)
            and all(condition.holds(view.files) for condition in self.files)
            and self._short_of_memory(view)
        )

    def _short_of_memory(self, view: ContainerView) -> bool:
        if self.memory_limit_below is None:
            return True
        return view.memory_limit is not None and view.memory_limit < parse_quantity(self.memory_limit_below)


class PullFails(_Data):
    effect: Literal["pull_fails"] = "pull_fails"
    cause: Literal["not_found", "unauthorized", "unreachable"] = "not_found"


class Exits(_Data):
    """The container writes `log` and exits."""

    effect: Literal["exits"] = "exits"
    code: int = 1
    log: tuple[str, ...] = ()
    after_seconds: float = 1
    """In Kubernetes seconds after its start (see Timing)."""


class OutOfMemory(_Data):
    """The kernel kills it: exit code 137, reason OOMKilled."""

    effect: Literal["out_of_memory"] = "out_of_memory"
    log: tuple[str, ...] = ()
    after_seconds: float = 1


class ProbeFails(_Data):
    """A probe of this kind fails with `message`; a container without that probe is never ready if it is the readiness probe."""

    effect: Literal["probe_fails"] = "probe_fails"
    probe: Literal["readiness", "liveness", "startup"] = "readiness"
    message: str = "HTTP probe failed with statuscode: 503"


class Listens(_Data):
    """The ports that the application listens on, whatever its manifest says; without this effect: those of its manifest."""

    effect: Literal["listens"] = "listens"
    ports: tuple[int, ...]
    paths: tuple[str, ...] = (".*",)
    """Regular expressions of HTTP paths that answer 200; others answer 404."""


class ReadsNginxConfiguration(_Data):
    """Behaves as nginx: reads the mounted configuration at start, exits 1 with nginx's words for what is wrong in it, and
    listens where it says."""

    effect: Literal["reads_nginx_configuration"] = "reads_nginx_configuration"


class UsesCpu(_Data):
    """Load: `cores` that all running containers of this rule carry together, so that each has less when there are more."""

    effect: Literal["uses_cpu"] = "uses_cpu"
    cores: str
    """Quantity."""


class Writes(_Data):
    """Lines that a healthy container adds to its log at start."""

    effect: Literal["writes"] = "writes"
    log: tuple[str, ...]


Effect = Annotated[
    PullFails | Exits | OutOfMemory | ProbeFails | Listens | ReadsNginxConfiguration | UsesCpu | Writes,
    Field(discriminator="effect"),
]


class Rule(_Data):
    """Containers for which `when` holds behave as `then` says. `times` bounds how often it strikes (starts or pulls)."""

    name: str
    when: When = When()
    then: Effect
    times: int | None = Field(default=None, ge=1)


NGINX = Rule(
    name="nginx reads its configuration",
    when=When(image=r"(^|/)nginx(:|@|$)"),
    then=ReadsNginxConfiguration(),
)
"""In force by default: every nginx image behaves so."""


def _fits(text: str, pattern: str | None, pattern_not: str | None) -> bool:
    return (pattern is None or re.search(pattern, text) is not None) and (
        pattern_not is None or re.search(pattern_not, text) is None
    )


class RuleBook:
    """The rules in force. `service_down` answers whether a Service (name, namespace) has nobody behind it."""

    def __init__(self, rules: list[Rule], service_down: Callable[[str, str], bool]) -> None:
        self._rules = {rule.name: rule for rule in rules}
        self._service_down = service_down
        self._strikes: dict[str, int] = {}
        self.edition = 0
        """Grows with every change of the rules."""

    def rules(self) -> list[Rule]:
        return list(self._rules.values())

    def add(self, rule: Rule) -> None:
        self._rules[rule.name] = rule
        self._strikes.pop(rule.name, None)
        self.edition += 1

    def remove(self, name: str) -> bool:
        self.edition += 1
        return self._rules.pop(name, None) is not None

    def describing(self, view: ContainerView) -> list[Rule]:
        """The rules whose lasting conditions hold."""
        return [rule for rule in self._rules.values() if rule.when.describes(view)]

    def active(self, rules: list[Rule], view: ContainerView) -> list[Rule]:
        """Those of `rules` that hold right now."""
        return [rule for rule in rules if not self._used_up(rule) and self._live(rule, view)]

    def strike(self, rule: Rule) -> None:
        self._strikes[rule.name] = self._strikes.get(rule.name, 0) + 1

    def _used_up(self, rule: Rule) -> bool:
        return rule.times is not None and self._strikes.get(rule.name, 0) >= rule.times

    def _live(self, rule: Rule, view: ContainerView) -> bool:
        if rule.when.service_down is None:
            return True
        name, _, namespace = rule.when.service_down.partition(".")
        return self._service_down(namespace or view.namespace, name)
