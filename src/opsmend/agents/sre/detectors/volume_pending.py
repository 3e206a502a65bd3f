"""A PersistentVolumeClaim is not answered, and pods wait for it."""

from difflib import get_close_matches
from typing import Final, NamedTuple

from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.notes import Notes
from opsmend.agents.sre.reading.revisions import last_good, why_good
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.quantity import quantity
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Event, Snapshot
from opsmend.domain.storage import Claim, Storage, StorageClass, Volume

NEAR: Final = 0.7
"""How alike two names must be for one to be taken as a slip of the other (difflib's ratio)."""

_FAILED: Final = frozenset({"ProvisioningFailed", "FailedBinding", "VolumeMismatch", "ClaimMisbound", "ClaimLost"})
"""https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/volume/events/event.go"""
_WAITS_FOR_POD: Final = "WaitForFirstConsumer"


class _Cause(NamedTuple):
    what: str
    todo: str
    confidence: float = 0.9


def detect(snapshot: Snapshot) -> list[Finding]:
    """Abstains where the claim only waits for its pod to be placed: then the pod is what waits."""
    storage = snapshot.storage
    if storage is None:
        return []
    found = []
    for claim in storage.claims:
        cause = _cause(snapshot, storage, claim) if claim.phase != "Bound" else None
        if cause is not None:
            found.append(_finding(snapshot, storage, claim, cause))
    return found


def _cause(snapshot: Snapshot, storage: Storage, claim: Claim) -> _Cause | None:
    if not claim.exists:
        return _Cause("it does not exist", "make the claim, or correct its name in the pod template")
    if claim.phase == "Lost":
        return _Cause(f"its volume {claim.volume} is gone", "restore the volume from a backup, or make the claim anew")
    by_class = _by_class(storage, claim)
    if by_class is not None:
        return by_class
    told = _told(snapshot, claim)
    if told:
        return _Cause(f"{told[-1].reason}: {told[-1].message}", "mend what its provisioner says", 0.85)
    if _waits_for_pod(storage, claim):
        return _no_pod() if claim.ref == snapshot.target.ref and not claim.waiting_pods else None
    return _Cause("nothing tells why", "look at the provisioner of its class", 0.6)


def _by_class(storage: Storage, claim: Claim) -> _Cause | None:
    """What the classes and volumes of the cluster show, as far as they were seen."""
    if storage.classes is None:
        return None
    wanted = _class_of(storage, claim)
    if claim.storage_class and wanted is None:
        return _no_such_class(claim.storage_class, storage.classes)
    if claim.storage_class is None and wanted is None:
        names = _names(storage.classes)
        return _Cause("it names no StorageClass, and none is the default one", f"name one of {names}, or make one the default")
    return _no_volume_fits(claim, storage.volumes) if storage.volumes is not None else None


def _class_of(storage: Storage, claim: Claim) -> StorageClass | None:
    for known in storage.classes or ():
        if known.name == claim.storage_class or (claim.storage_class is None and known.default):
            return known
    return None


def _no_such_class(name: str, classes: tuple[StorageClass, ...]) -> _Cause:
    near = get_close_matches(name, [known.name for known in classes], n=1, cutoff=NEAR)
    meant = f"; {near[0]} may be meant" if near else ""
    todo = "a claim's class cannot be changed: make the claim anew with the right one, or make the class"
    return _Cause(f"StorageClass {name} does not exist (there are {_names(classes)}){meant}", todo)


def _no_volume_fits(claim: Claim, volumes: tuple[Volume, ...]) -> _Cause:
    """Why none of the volumes that people made answers it, by the first demand that none meets."""
    todo = "make a PersistentVolume that fits, or a claim that asks for less"
    free = [v for v in volumes if v.phase == "Available" and v.storage_class == (claim.storage_class or "")]
    if claim.volume:
        free = [volume for volume in free if volume.name == claim.volume]
    of_class = f"of class {claim.storage_class}" if claim.storage_class else "without a class"
    if not free:
        which = f"volume {claim.volume}" if claim.volume else f"PersistentVolume {of_class}"
        return _Cause(f"no {which} is available", todo)
    offering = [volume for volume in free if set(claim.access_modes) <= set(volume.access_modes)]
    if not offering:
        offered = sorted({mode for volume in free for mode in volume.access_modes})
        modes = ", ".join(claim.access_modes)
        return _Cause(f"no available volume offers {modes}, only {', '.join(offered) or 'none'}", todo)
    asked = quantity(claim.requested)
    sizes = [size for volume in offering if (size := quantity(volume.capacity)) is not None]
    if asked is not None and sizes and max(sizes) < asked:
        largest = next(volume for volume in offering if quantity(volume.capacity) == max(sizes))
        return _Cause(f"it asks for {claim.requested}, the largest available volume has {largest.capacity}", todo)
    return _Cause("nothing tells why", "look at the node affinity and labels of the volumes", 0.6)


def _told(snapshot: Snapshot, claim: Claim) -> list[Event]:
    about = f"{claim.ref.kind} {claim.ref.name}"
    told = [event for event in snapshot.events if event.about == about and event.reason in _FAILED]
    return sorted(told, key=lambda event: event.last_seen or snapshot.taken_at)


def _waits_for_pod(storage: Storage, claim: Claim) -> bool:
    wanted = _class_of(storage, claim)
    return wanted is not None and wanted.binding_mode == _WAITS_FOR_POD


def _no_pod() -> _Cause:
    return _Cause(
        "its StorageClass waits for the first pod that mounts it, and no pod does", "start its pod, or delete the claim", 0.8
    )


def _finding(snapshot: Snapshot, storage: Storage, claim: Claim, cause: _Cause) -> Finding:
    notes = Notes()
    asks = f"{claim.requested or 'no size'}, {', '.join(claim.access_modes) or 'no access mode'}, {_class_asked(claim)}"
    notes.add(str(claim.ref), f"{claim.phase}: asks for {asks}" if claim.exists else "does not exist", claim.created_at)
    for event in _told(snapshot, claim)[-2:]:
        notes.add_event(event)
    if storage.classes is not None:
        notes.add("StorageClasses", _names(storage.classes))
    for name in claim.waiting_pods[:3]:
        notes.add(f"pod/{name}", f"mounts {claim.ref} and has no node")
    waiting = f"{len(claim.waiting_pods)} pods wait for {claim.ref}" if claim.waiting_pods else f"{claim.ref} is not answered"
    return FAILURE.finding(
        resource=claim.ref,
        summary=f"{waiting}: {cause.what}",
        confidence=cause.confidence,
        evidence=notes.evidence,
        hints=_hints(snapshot, claim, cause),
    )


def _hints(snapshot: Snapshot, claim: Claim, cause: _Cause) -> tuple[Hint, ...]:
    """Claims are a person's business; but a revision that brought this one can be taken back."""
    nothing = Hint(remedy=Remedy.NONE, object=claim.ref, reason=f"{cause.what}: a person has to {cause.todo}")
    good, workload = last_good(snapshot), snapshot.workload
    if good is None or workload is None or _mounts(good.template, claim) or not _mounts(workload.template, claim):
        return (nothing,)
    reason = f"{why_good(snapshot, good)} without {claim.ref}, which the newest revision mounts"
    digest = good.template_digest
    back = Hint(remedy=Remedy.ROLL_BACK, object=workload.ref, revision=good.number, template_digest=digest, reason=reason)
    return back, nothing


def _mounts(template: JsonObject, claim: Claim) -> bool:
    volumes = (template.get("spec") or {}).get("volumes") or []
    return any((v.get("persistentVolumeClaim") or {}).get("claimName") == claim.ref.name for v in volumes)


def _class_asked(claim: Claim) -> str:
    if claim.storage_class is None:
        return "the default class"
    return f"class {claim.storage_class}" if claim.storage_class else "no class"


def _names(classes: tuple[StorageClass, ...]) -> str:
    return ", ".join(f"{known.name}{' (default)' if known.default else ''}" for known in classes[:10]) or "none"


FAILURE: Final = FailureClass(
    name="volume_pending",
    rank=1,
    detect=detect,
    seen_in="pods",
    not_found="no pod waits for a volume",
    restart_is_useless="new pods would wait for the same claim",
    scaling_is_useless="more pods would wait for a volume",
)
