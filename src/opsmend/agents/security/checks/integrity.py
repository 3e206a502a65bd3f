"""The plan is what it says it is: its hash, its objects, and the way back of each step."""

from opsmend.agents.security.scene import Scene
from opsmend.domain.actions.action import LiveObject
from opsmend.domain.actions.planned_step import projected
from opsmend.domain.plan import PlannedStep
from opsmend.domain.record import JsonObject
from opsmend.domain.verdict import SecurityFinding, Severity
from opsmend.errors import OpsmendError


def check(scene: Scene) -> list[SecurityFinding]:
    """Blocks a plan whose hash is not its content's, and a step whose inverse does not lead back to the object as it is."""
    findings = []
    content = scene.plan.computed_hash()
    if scene.plan.hash != content:
        text = f"the plan says its hash is {scene.plan.hash[:12]}, its content has {content[:12]}: it was altered"
        findings.append(_block(text))
    left_behind: dict[str, LiveObject] = {}
    for step in scene.plan.steps:
        key = str(step.action.target)
        if step.inverse.target != step.action.target:
            findings.append(_block(f"step {step.id} changes {key}, its inverse changes {step.inverse.target}"))
        if step.action.target.kind not in step.action.kinds:
            findings.append(_block(f"step {step.id}: {step.action.type} is not for a {step.action.target.kind}"))
        before = left_behind.get(key) or scene.live.get(key)
        if before is None:
            findings.append(_block(f"step {step.id}: {key} was not read, so nothing about it can be checked"))
            continue
        try:
            after = projected(step.action, before)
            findings += _way_back(step, before, after)
        except OpsmendError as e:
            findings.append(_block(f"step {step.id} does not fit {key} as it stands: {e}"))
            continue
        left_behind[key] = after
    return findings


def _way_back(step: PlannedStep, before: LiveObject, after: LiveObject) -> list[SecurityFinding]:
    restored = step.inverse.project(_with_present_revision(before, after))
    if _desired(restored) == _desired(before.object):
        return []
    return [
        _block(f"the inverse of step {step.id} ({step.inverse.summary()}) does not bring {step.action.target} back as it is")
    ]


def _with_present_revision(before: LiveObject, after: LiveObject) -> LiveObject:
    """After a rollback the template that was current is still kept, as a revision: the cluster lists it among them already."""
    return after.model_copy(update={"revisions": before.revisions})


def _desired(obj: JsonObject) -> JsonObject:
    return {key: value for key, value in obj.items() if key not in ("status", "metadata")}


def _block(text: str) -> SecurityFinding:
    return SecurityFinding(check="integrity", severity=Severity.BLOCK, text=text)
