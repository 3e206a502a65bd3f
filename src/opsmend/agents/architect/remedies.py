"""From a diagnosis to candidate plans: every remedy that it hints at as typed actions, and obvious ones that would not help.

Best first. The order of the hints is the detectors': the smallest reversible change that takes the cause away, a value that is
known to have worked before one that is reckoned.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from pydantic import ValidationError

from opsmend.domain.actions import AnyAction
from opsmend.domain.actions.cordon_node import CordonNode, UncordonNode
from opsmend.domain.actions.patch_autoscaler import PatchAutoscaler
from opsmend.domain.actions.patch_config import PatchConfig
from opsmend.domain.actions.patch_service import PatchService
from opsmend.domain.actions.patch_workload import PatchWorkload
from opsmend.domain.actions.restart_workload import RestartWorkload
from opsmend.domain.actions.rollback_workload import RollbackWorkload
from opsmend.domain.actions.scale_workload import ScaleWorkload
from opsmend.domain.actions.set_image import SetImage
from opsmend.domain.actions.set_resources import SetResources
from opsmend.domain.actions.template_changes import ProbeChange, ProbeKind
from opsmend.domain.diagnosis import (
    HEALTHY,
    MAINTENANCE,
    SURE_ENOUGH,
    UNKNOWN,
    Diagnosis,
    Hint,
    Recollection,
    Remedy,
    RestoreFrom,
)
from opsmend.domain.record import Record
from opsmend.domain.snapshot import CONFIG_VALUE_KEPT, ConfigReference, Snapshot
from opsmend.domain.target import WORKLOAD_KINDS, Kind

Actions = tuple[AnyAction, ...]
T = TypeVar("T")


class Candidate(Record):
    """A way to remove the cause. `rejected_because` is None for those that may be done; then `actions` is never empty."""

    actions: Actions = ()
    reason: str
    """Why these actions with these values, with numbers and evidence ids."""
    rejected_because: str | None = None
    cites: tuple[str, ...] = ()
    """`<incident id>/<run id>` of earlier incidents in which the same kind of failure was remediated."""


class NotPossibleError(ValueError):
    """A hint lacks what its action needs; the message says what."""


def propose(diagnosis: Diagnosis, snapshot: Snapshot) -> list[Candidate]:
    """All candidates, best first, the rejected ones last with their reasons. Empty where there is nothing to mend."""
    if diagnosis.category in (HEALTHY, UNKNOWN, MAINTENANCE):
        return []
    scene = _scene(diagnosis, snapshot)
    hinted = [_candidate(hint, diagnosis, scene) for hint in diagnosis.hints]
    useless = [*_useless(diagnosis, scene), *_useless_on_the_target(snapshot, scene)]
    everything = [*hinted, *useless]
    return [c for c in everything if not c.rejected_because] + [c for c in everything if c.rejected_because]


def _scene(diagnosis: Diagnosis, snapshot: Snapshot) -> Snapshot:
    """Where the cause is: the neighbourhood of the deepest dependency that is blamed, else the target's own."""
    return next((around for ref in reversed(diagnosis.beside) if (around := snapshot.around(ref))), snapshot)


def _candidate(hint: Hint, diagnosis: Diagnosis, snapshot: Snapshot) -> Candidate:
    worked = _worked_before(diagnosis)
    reason = _reason(hint, diagnosis, worked)
    cites = tuple(f"{r.incident_id}/{r.run_id}" for r in worked)
    if hint.remedy is Remedy.NONE:
        return Candidate(reason=hint.reason, rejected_because=f"opsmend may not do it: {hint.reason}")
    try:
        actions = _MAKERS[hint.remedy](hint, snapshot)
    except ValueError as e:  # NotPossibleError, pydantic's ValidationError and unknown enum values are all of this class.
        return Candidate(
            reason=f"{hint.remedy}: {hint.reason}", rejected_because=f"it cannot be put into typed actions: {_brief(e)}"
        )
    misfit = next((a for a in actions if a.target.kind not in a.kinds), None)
    if misfit:
        return Candidate(actions=actions, reason=reason, rejected_because=f"{misfit.type} is not for a {misfit.target.kind}")
    if diagnosis.confidence < SURE_ENOUGH:
        why = f"the diagnosis is only {diagnosis.confidence:.2f} sure, {SURE_ENOUGH} is needed to change anything"
        return Candidate(actions=actions, reason=reason, rejected_because=why)
    return Candidate(actions=actions, reason=reason, cites=cites)


def _brief(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
    return str(error)


def _worked_before(diagnosis: Diagnosis) -> list[Recollection]:
    return [r for r in diagnosis.recalled if r.category == diagnosis.category and r.outcome == "remediated"]


def _reason(hint: Hint, diagnosis: Diagnosis, worked: list[Recollection]) -> str:
    evidence = ", ".join(e.id for e in diagnosis.evidence)
    parts = [f"{hint.reason} ({evidence})" if evidence else hint.reason]
    if worked:
        best = max(worked, key=lambda r: r.score)
        parts.append(f"a like incident, {best.incident_id}, was remediated: {best.remedy or best.summary}")
    return "; ".join(parts)


def _roll_back(hint: Hint, snapshot: Snapshot) -> Actions:
    return (RollbackWorkload(target=hint.object, revision=_need(hint.revision), template_digest=_need(hint.template_digest)),)


def _set_image(hint: Hint, snapshot: Snapshot) -> Actions:
    return (SetImage(target=hint.object, container=_need(hint.container), image=_need(hint.image)),)


def _restore_config(hint: Hint, snapshot: Snapshot) -> Actions:
    """The earlier values go back, the blamed key's first, then the pods that read them only at start are replaced."""
    earlier = _last_good_value if hint.restore_from is RestoreFrom.LAST_GOOD else _declared_value
    config = next((c for c in snapshot.config if c.ref == hint.object), None)
    restores = tuple(
        PatchConfig(target=hint.object, key=key, value=earlier(config, key))
        for key in (_need(hint.config_key), *hint.config_keys)
    )
    return (*restores, _restart_now(snapshot)) if snapshot.workload else restores


def _last_good_value(config: ConfigReference | None, key: str) -> str:
    known = config.last_good.values.get(key) if config and config.last_good else None
    if known is None:
        raise NotPossibleError(f"no good value of key {key} is known")
    if not known.intact:
        raise NotPossibleError(f"the good value of {key} was masked or cut on the way, so it cannot be written back")
    return known.value


def _declared_value(config: ConfigReference | None, key: str) -> str:
    value = (config.last_applied or {}).get(key) if config else None
    if value is None:
        raise NotPossibleError(f"what was last applied has no key {key}")
    if "[redacted:" in value or len(value) >= CONFIG_VALUE_KEPT:
        raise NotPossibleError(f"the declared value of {key} was masked or cut when it was read, so it cannot be written back")
    return value


def _restart_now(snapshot: Snapshot) -> RestartWorkload:
    if snapshot.workload is None:
        raise NotPossibleError("there is no workload to restart")
    return RestartWorkload(target=snapshot.workload.ref, restarted_at=snapshot.taken_at.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _correct_probe(hint: Hint, snapshot: Snapshot) -> Actions:
    probe = ProbeChange(container=_need(hint.container), kind=ProbeKind(_need(hint.probe)), port=_need(hint.port))
    return (PatchWorkload(target=hint.object, probe=probe),)


def _set_resources(hint: Hint, snapshot: Snapshot) -> Actions:
    return (
        SetResources(
            target=hint.object,
            container=_need(hint.container),
            memory_limit=hint.memory_limit,
            memory_request=hint.memory_request,
            cpu_request=hint.cpu_request,
        ),
    )


def _correct_placement(hint: Hint, snapshot: Snapshot) -> Actions:
    return (PatchWorkload(target=hint.object, node_selector=_need(hint.node_selector)),)


def _correct_service(hint: Hint, snapshot: Snapshot) -> Actions:
    return (PatchService(target=hint.object, selector=hint.selector, port=hint.port_name, target_port=hint.port),)


def _scale(hint: Hint, snapshot: Snapshot) -> Actions:
    return (ScaleWorkload(target=hint.object, replicas=_need(hint.replicas)),)


def _raise_autoscaler(hint: Hint, snapshot: Snapshot) -> Actions:
    return (PatchAutoscaler(target=hint.object, max_replicas=_need(hint.max_replicas)),)


def _restart(hint: Hint, snapshot: Snapshot) -> Actions:
    return (_restart_now(snapshot),)


def _cordon(hint: Hint, snapshot: Snapshot) -> Actions:
    return (CordonNode(target=hint.object),)


def _uncordon(hint: Hint, snapshot: Snapshot) -> Actions:
    return (UncordonNode(target=hint.object),)


def _need(value: T | None) -> T:
    if value is None:
        raise NotPossibleError("the diagnosis gives no value for it")
    return value


_MAKERS: Final[dict[Remedy, Callable[[Hint, Snapshot], Actions]]] = {
    Remedy.ROLL_BACK: _roll_back,
    Remedy.SET_IMAGE: _set_image,
    Remedy.RESTORE_CONFIG: _restore_config,
    Remedy.CORRECT_PROBE: _correct_probe,
    Remedy.RAISE_MEMORY: _set_resources,
    Remedy.LOWER_REQUESTS: _set_resources,
    Remedy.CORRECT_PLACEMENT: _correct_placement,
    Remedy.CORRECT_SERVICE: _correct_service,
    Remedy.SCALE_UP: _scale,
    Remedy.SCALE_BACK: _scale,
    Remedy.RAISE_AUTOSCALER: _raise_autoscaler,
    Remedy.RESTART: _restart,
    Remedy.CORDON: _cordon,
    Remedy.UNCORDON: _uncordon,
}


def _useless(diagnosis: Diagnosis, snapshot: Snapshot) -> list[Candidate]:
    """What a person may ask for first, with why not; left out where the diagnosis itself hints at it."""
    workload = snapshot.workload
    if workload is None or workload.ref.kind not in WORKLOAD_KINDS:
        return []
    hinted = {hint.remedy for hint in diagnosis.hints}
    found = []
    if (why := diagnosis.restart_is_useless) and Remedy.RESTART not in hinted:
        found.append(Candidate(actions=(_restart_now(snapshot),), reason="restart the pods", rejected_because=why))
    if (why := diagnosis.scaling_is_useless) and Remedy.SCALE_UP not in hinted and workload.ref.kind is not Kind.DAEMON_SET:
        more = ScaleWorkload(target=workload.ref, replicas=workload.desired_replicas + 1)
        found.append(Candidate(actions=(more,), reason="add a replica", rejected_because=why))
    if Remedy.ROLL_BACK not in hinted:
        found += _useless_rollback(diagnosis, snapshot)
    return found


def _useless_on_the_target(snapshot: Snapshot, scene: Snapshot) -> list[Candidate]:
    """Where another is to blame, what a person may do to the target all the same."""
    if scene is snapshot or snapshot.workload is None:
        return []
    blamed = scene.workload.ref if scene.workload else scene.target.ref
    why = f"{snapshot.workload.ref} is not what is wrong: new pods would call {blamed} as it is"
    return [Candidate(actions=(_restart_now(snapshot),), reason="restart the target's pods", rejected_because=why)]


def _useless_rollback(diagnosis: Diagnosis, snapshot: Snapshot) -> list[Candidate]:
    if len(snapshot.revisions) < 2 or snapshot.workload is None:
        return []
    before = snapshot.revisions[1]
    back = RollbackWorkload(target=snapshot.workload.ref, revision=before.number, template_digest=before.template_digest)
    why = "nothing that it changed explains the failure, so the revision before would fail alike"
    if Remedy.RESTORE_CONFIG in {hint.remedy for hint in diagnosis.hints}:
        why = "the configuration was edited in place: the revision before reads the same broken object"
    return [Candidate(actions=(back,), reason="return to the revision before", rejected_because=why)]
