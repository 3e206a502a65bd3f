"""Much more memory or CPU than before, or a limit taken away."""

from collections.abc import Iterator
from typing import Any, Final

from opsmend.agents.security.scene import Scene, containers_by_name
from opsmend.domain.actions.set_resources import SetResources
from opsmend.domain.quantity import quantity
from opsmend.domain.verdict import SecurityFinding, Severity

FACTOR: Final = 4
"""Above four times the present amount it is no correction any more: one container could starve its node."""


def check(scene: Scene) -> list[SecurityFinding]:
    """Blocks such a raise where opsmend chose the value; warns where a revision that ran brings it back."""
    findings = []
    for step, before, after in scene.templates:
        severity = Severity.BLOCK if isinstance(step.action, SetResources) else Severity.WARN
        old = containers_by_name(before)
        for name, container in containers_by_name(after).items():
            for text in _excesses(old.get(name, {}), container):
                found = f"step {step.id}: {text} for container {name} of {step.action.target}"
                findings.append(SecurityFinding(check="resources", severity=severity, text=found))
    return findings


def _excesses(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    old, new = before.get("resources") or {}, after.get("resources") or {}
    for group in ("requests", "limits"):
        had, gets = old.get(group) or {}, new.get(group) or {}
        for name in dict.fromkeys((*had, *gets)):
            was, will = quantity(had.get(name)), quantity(gets.get(name))
            if was and will and will > FACTOR * was:
                yield f"{group}.{name} from {had[name]} to {gets[name]}, more than {FACTOR} times"
            if was and will is None and group == "limits":
                yield f"no {name} limit any more (it is {had[name]})"
