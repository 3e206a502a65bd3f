"""A Service that would catch more traffic's targets than before, or be opened to the outside."""

from opsmend.agents.security.scene import Scene
from opsmend.domain.target import Kind
from opsmend.domain.verdict import SecurityFinding, Severity


def check(scene: Scene) -> list[SecurityFinding]:
    """Blocks an empty selector and one that only drops conditions: it would route to pods that were left out on purpose."""
    findings = []
    for step, before, after in scene.objects:
        if step.action.target.kind is not Kind.SERVICE:
            continue
        old, new = before["spec"].get("selector") or {}, after["spec"].get("selector") or {}
        if old and not new:
            findings.append(_finding(Severity.BLOCK, f"step {step.id} would leave {step.action.target} without a selector"))
        elif new != old and new.items() <= old.items():
            dropped = ", ".join(f"{k}={v}" for k, v in sorted(old.items() - new.items()))
            text = f"step {step.id} would let {step.action.target} select more pods than before: it drops {dropped}"
            findings.append(_finding(Severity.BLOCK, text))
        elif new != old:
            told = ", ".join(f"{k}={v}" for k, v in sorted(new.items()))
            findings.append(_finding(Severity.NOTE, f"step {step.id} lets {step.action.target} select other pods: {told}"))
    return findings


def _finding(severity: Severity, text: str) -> SecurityFinding:
    return SecurityFinding(check="services", severity=severity, text=text)
