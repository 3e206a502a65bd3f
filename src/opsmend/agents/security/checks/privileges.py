"""A pod template that would give its containers more rights than the present one does, e.g. by going back to an older one."""

from collections.abc import Iterator
from typing import Any, Final

from opsmend.agents.security.scene import Scene, containers_by_name
from opsmend.domain.record import JsonObject
from opsmend.domain.verdict import SecurityFinding, Severity

HOST_NAMESPACES: Final = ("hostNetwork", "hostPID", "hostIPC")


def check(scene: Scene) -> list[SecurityFinding]:
    """Blocks every right that is new. A changed service account is a warning: which rights it has is not seen from here."""
    findings = []
    for step, before, after in scene.templates:
        for right in _added(before, after):
            text = f"step {step.id} would add to {step.action.target}: {right}"
            findings.append(SecurityFinding(check="privileges", severity=Severity.BLOCK, text=text))
        old, new = _account(before), _account(after)
        if old != new:
            text = f"step {step.id} would run {step.action.target} as service account {new} in place of {old}"
            findings.append(SecurityFinding(check="privileges", severity=Severity.WARN, text=text))
    return findings


def _account(template: JsonObject) -> str:
    return str((template.get("spec") or {}).get("serviceAccountName") or "default")


def _added(before: JsonObject, after: JsonObject) -> Iterator[str]:
    """Rights that the pod gains, and those that a container gains; a container that is new may have what others have."""
    held = set(_pod_rights(before))
    yield from (right for right in _pod_rights(after) if right not in held)
    old = containers_by_name(before)
    rights = {name: set(_container_rights(container, before)) for name, container in old.items()}
    anywhere = {right for of_one in rights.values() for right in of_one}
    for name, container in containers_by_name(after).items():
        allowed = rights.get(name, anywhere)
        yield from (f"{right} for container {name}" for right in _container_rights(container, after) if right not in allowed)


def _pod_rights(template: JsonObject) -> Iterator[str]:
    spec = template.get("spec") or {}
    yield from (f"{name} of the node" for name in HOST_NAMESPACES if spec.get(name))
    yield from (f"sysctl {sysctl.get('name')}" for sysctl in (spec.get("securityContext") or {}).get("sysctls") or [])
    for volume in spec.get("volumes") or []:
        if "hostPath" in volume:
            yield f"folder {(volume['hostPath'] or {}).get('path')} of the node"
    if spec.get("automountServiceAccountToken", True):
        yield "a token for the Kubernetes API"


def _container_rights(container: dict[str, Any], template: JsonObject) -> Iterator[str]:
    pod_context = (template.get("spec") or {}).get("securityContext") or {}
    context = container.get("securityContext") or {}
    if context.get("privileged"):
        yield "privileged mode"
    if context.get("allowPrivilegeEscalation", True):
        yield "privilege escalation"
    yield from (f"capability {name}" for name in (context.get("capabilities") or {}).get("add") or [])
    if context.get("procMount", "Default") != "Default":
        yield "an unmasked /proc"
    user = context.get("runAsUser", pod_context.get("runAsUser"))
    if user == 0 or (user is None and not context.get("runAsNonRoot", pod_context.get("runAsNonRoot"))):
        yield "leave to run as root"
    profile = (context.get("seccompProfile") or pod_context.get("seccompProfile") or {}).get("type", "Unconfined")
    if profile == "Unconfined":
        yield "all system calls"
    yield from (f"port {port['hostPort']} of the node" for port in container.get("ports") or [] if port.get("hostPort"))
