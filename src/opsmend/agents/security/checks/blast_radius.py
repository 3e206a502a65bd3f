"""How much a plan touches at once."""

from typing import Final

from opsmend.agents.security.scene import Scene
from opsmend.domain.record import JsonObject
from opsmend.domain.target import WORKLOAD_KINDS, Kind
from opsmend.domain.verdict import SecurityFinding, Severity

MANY_PODS: Final = 50
"""Pods of one plan from which a person should look twice: half of what a node holds by default (110)."""
TOO_MANY_PODS: Final = 500
"""Beyond this it is an operation of its own, not the repair of one workload."""
MANY_OBJECTS: Final = 3
STEEP: Final = 4
"""Times more replicas than are asked for now."""


def check(scene: Scene) -> list[SecurityFinding]:
    pods = sum(step.blast_radius.pods for step in scene.plan.steps)
    objects = {ref for step in scene.plan.steps for ref in step.blast_radius.objects}
    findings = []
    if pods > MANY_PODS:
        severity = Severity.BLOCK if pods > TOO_MANY_PODS else Severity.WARN
        findings.append(_finding(severity, f"{pods} pods are touched, more than {MANY_PODS}"))
    if len(objects) > MANY_OBJECTS:
        findings.append(_finding(Severity.WARN, f"{len(objects)} objects are changed, more than {MANY_OBJECTS}"))
    for step, before, after in scene.objects:
        kind = step.action.target.kind
        if kind in WORKLOAD_KINDS:
            findings += _of_workload(step.id, before, after)
        if kind is Kind.HORIZONTAL_POD_AUTOSCALER:
            findings += _of_replicas(step.id, before["spec"]["maxReplicas"], after["spec"]["maxReplicas"])
        if kind is Kind.NODE:
            findings.append(
                _finding(Severity.NOTE, f"step {step.id} affects every workload that may run on {step.action.target}")
            )
    return findings


def _of_workload(step: str, before: JsonObject, after: JsonObject) -> list[SecurityFinding]:
    findings = []
    replaced = before["spec"]["template"] != after["spec"]["template"]
    strategy = (before["spec"].get("strategy") or before["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate")
    if replaced and strategy == "Recreate":
        findings.append(_finding(Severity.WARN, f"step {step}: strategy Recreate stops all pods at once: there is an outage"))
    if replaced and before["spec"].get("replicas", 1) == 1 and before.get("kind") != "DaemonSet":
        findings.append(
            _finding(Severity.NOTE, f"step {step}: there is one replica only; requests may fail while it is replaced")
        )
    return findings + _of_replicas(step, before["spec"].get("replicas", 1), after["spec"].get("replicas", 1))


def _of_replicas(step: str, old: int, new: int) -> list[SecurityFinding]:
    if new == 0 and old > 0:
        return [_finding(Severity.BLOCK, f"step {step} would stop all {old} replicas")]
    if old > 0 and new > STEEP * old:
        return [_finding(Severity.BLOCK, f"step {step} would go from {old} to {new} replicas, more than {STEEP} times")]
    return []


def _finding(severity: Severity, text: str) -> SecurityFinding:
    return SecurityFinding(check="blast_radius", severity=severity, text=text)
