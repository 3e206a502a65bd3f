"""No secret is written into a ConfigMap or a pod template, or shown in a plan."""

from opsmend.agents.security.scene import Scene
from opsmend.domain.actions.patch_config import PatchConfig
from opsmend.domain.actions.patch_workload import PatchWorkload
from opsmend.domain.verdict import SecurityFinding, Severity
from opsmend.policy.redaction import redact, redact_json

MASK = "[redacted:"


def check(scene: Scene) -> list[SecurityFinding]:
    """Blocks a masked value (it would overwrite the real one) and a plain secret; warns of one in the text shown to people."""
    findings = []
    for step in scene.plan.steps:
        for place, value in _values(step.action):
            if MASK in value:
                text = f"step {step.id} would write a masked value over {place}"
                findings.append(_finding(Severity.BLOCK, text))
            elif redact(value) != value or redact_json({place: value})[place] != value:
                findings.append(_finding(Severity.BLOCK, f"step {step.id} would write what looks like a secret into {place}"))
        shown = (("its diff", step.diff), ("its reason", step.reason))
        findings += [
            _finding(Severity.WARN, f"step {step.id} shows what looks like a secret in {place}")
            for place, text in shown
            if redact(text) != text
        ]
    return findings


def _values(action: object) -> list[tuple[str, str]]:
    if isinstance(action, PatchConfig) and action.value is not None:
        return [(action.key, action.value)]
    if isinstance(action, PatchWorkload):
        return [(change.name, change.value) for change in action.env if change.value is not None]
    return []


def _finding(severity: Severity, text: str) -> SecurityFinding:
    return SecurityFinding(check="secrets", severity=severity, text=text)
