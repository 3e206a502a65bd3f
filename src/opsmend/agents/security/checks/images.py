"""Which program would run: an image of another origin, or one that can change under its name."""

from typing import Any

from opsmend.agents.security.scene import Scene, containers_by_name
from opsmend.domain.actions.set_image import SetImage
from opsmend.domain.verdict import SecurityFinding, Severity


def check(scene: Scene) -> list[SecurityFinding]:
    """A set image must come from the repository in use. A rollback to another one is told: that image has run before."""
    findings = []
    for step, before, after in scene.templates:
        chosen = isinstance(step.action, SetImage)
        old, new = containers_by_name(before), containers_by_name(after)
        for name, container in new.items():
            if container.get("image") != old.get(name, {}).get("image"):
                findings += _judge(step.id, name, old.get(name, {}), container, chosen=chosen)
    return findings


def _judge(step: str, name: str, old: dict[str, Any], new: dict[str, Any], *, chosen: bool) -> list[SecurityFinding]:
    before, after = str(old.get("image", "")), str(new.get("image", ""))
    findings = []
    if before and repository(before) != repository(after):
        text = f"step {step}: container {name} would run {repository(after)} in place of {repository(before)}"
        findings.append(_finding(Severity.BLOCK if chosen else Severity.WARN, text))
    if is_mutable(after):
        text = f"step {step}: image {after} of container {name} has no fixed tag or digest: what runs may change under its name"
        findings.append(_finding(Severity.BLOCK if chosen else Severity.WARN, text))
    return findings


def repository(image: str) -> str:
    """Registry and repository in full, without tag and digest: `nginx:1.25` is `docker.io/library/nginx`."""
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    name = f"{folder}{slash}{last.partition(':')[0]}"
    first, has_folder, _ = name.partition("/")
    if not has_folder:
        return f"docker.io/library/{name}"
    return name if "." in first or ":" in first or first == "localhost" else f"docker.io/{name}"


def is_mutable(image: str) -> bool:
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    return "@sha256:" not in image and tag in ("", "latest")


def _finding(severity: Severity, text: str) -> SecurityFinding:
    return SecurityFinding(check="images", severity=severity, text=text)
