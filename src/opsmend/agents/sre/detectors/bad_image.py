"""The image of a container cannot be had: wrong name or tag, no access, or the registry does not answer."""

import re
from enum import StrEnum
from typing import Final

from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.failures import containers, events_about
from opsmend.agents.sre.reading.notes import Notes
from opsmend.agents.sre.reading.revisions import container_spec, differences, in_words, last_good, why_good
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.shared_cause import CauseKind, SharedCause
from opsmend.domain.snapshot import Container, Pod, Revision, Snapshot, Workload

PULL_REASONS: Final = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
"""https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/images/types.go"""


class Trouble(StrEnum):
    WRONG_NAME = "there is no such image or tag"
    NO_ACCESS = "the registry denies access to it"
    UNREACHABLE = "the registry does not answer"
    UNTRUSTED = "its signature is not accepted"
    NOT_LOADED = "it is not on the node and may not be pulled"
    UNCLEAR = "the kubelet does not say why"


_BY_REASON: Final = {
    "InvalidImageName": Trouble.WRONG_NAME,
    "ErrImageNeverPull": Trouble.NOT_LOADED,
    "RegistryUnavailable": Trouble.UNREACHABLE,
    "SignatureValidationFailed": Trouble.UNTRUSTED,
}
_BY_CODE: Final = {
    "NotFound": Trouble.WRONG_NAME,
    "InvalidArgument": Trouble.WRONG_NAME,
    "Unauthenticated": Trouble.NO_ACCESS,
    "PermissionDenied": Trouble.NO_ACCESS,
    "Unavailable": Trouble.UNREACHABLE,
    "DeadlineExceeded": Trouble.UNREACHABLE,
    "ResourceExhausted": Trouble.UNREACHABLE,
}
_CODE: Final = re.compile(r"code = (\w+)")
_BY_WORDING: Final = (
    (
        Trouble.UNREACHABLE,
        re.compile(
            r"(?i)no such host|name resolution|time(d )?-?out|deadline|connection (refused|reset)|unreachable|no route|x509"
            r"|certificate|\btls\b|\beof\b|too ?many ?requests|\b(429|50\d)\b|server misbehaving|unavailable"
        ),
    ),
    (
        Trouble.WRONG_NAME,
        re.compile(
            r"(?i)not found|manifest unknown|name unknown|unknown (tag|manifest|blob)|no such (image|manifest)|does not exist"
            r"|\b404\b|invalid reference|couldn't parse image|no match(ing manifest)? for"
        ),
    ),
    (
        Trouble.NO_ACCESS,
        re.compile(
            r"(?i)unauthori[sz]ed|authenticat|authori[sz]ation|forbidden|denied|credential|insufficient_scope|\b40[13]\b|login"
        ),
    ),
)
"""Tried in this order: an unreachable registry's message often ends in 'not found'."""


def detect(snapshot: Snapshot) -> list[Finding]:
    """One finding per container name, however many pods wait for its image."""
    waiting: dict[str, list[tuple[Pod, Container]]] = {}
    for pod, container in containers(snapshot.pods):
        if container.waiting_reason in PULL_REASONS:
            waiting.setdefault(container.name, []).append((pod, container))
    return [_finding(snapshot, cases) for cases in waiting.values()]


def _finding(snapshot: Snapshot, cases: list[tuple[Pod, Container]]) -> Finding:
    notes = Notes()
    said = []
    for pod, container in cases[:2]:
        events = events_about(snapshot, [pod], "Failed", "ErrImageNeverPull", "InspectFailed")
        pulls = [event for event in events if container.image and container.image in event.message]
        notes.add_container(pod, container, f"waits: {container.waiting_reason}: {container.waiting_message}")
        said += [container.waiting_message, *(event.message for event in pulls)]
        for event in pulls[-2:]:
            notes.add_event(event)
    pod, container = cases[0]
    trouble = _trouble(container.waiting_reason, "\n".join(said))
    good = last_good(snapshot)
    hints = _hints(snapshot, container, trouble, good)
    changed = good is not None and hints[0].remedy is not Remedy.NONE
    # Who has a fix of its own need not wait until the registry answers, nor does its fix help others.
    shared = trouble is Trouble.UNREACHABLE and hints[0].remedy is Remedy.NONE
    if changed and good:
        notes.add(str(snapshot.target), in_words(differences(good.template, snapshot.revisions[0].template)))
    return FAILURE.finding(
        resource=snapshot.workload.ref if snapshot.workload else snapshot.target.ref,
        summary=f"Image {container.image} of container {container.name} cannot be pulled: {trouble}",
        confidence=0.95 if changed else 0.85,
        evidence=notes.evidence,
        hints=hints,
        shared=SharedCause(kind=CauseKind.REGISTRY, name=_registry(container.image)) if shared else None,
    )


def _trouble(reason: str, message: str) -> Trouble:
    """The kubelet's own reason first, then the gRPC code of the container runtime, then the wording."""
    if reason in _BY_REASON:
        return _BY_REASON[reason]
    for code in _CODE.findall(message):
        if code in _BY_CODE:
            return _BY_CODE[code]
    return next((trouble for trouble, wording in _BY_WORDING if wording.search(message)), Trouble.UNCLEAR)


def _hints(snapshot: Snapshot, container: Container, trouble: Trouble, good: Revision | None) -> tuple[Hint, ...]:
    workload = snapshot.workload
    ref = workload.ref if workload else snapshot.target.ref
    new = container_spec(workload.template, container.name) if workload else None
    if workload is None or new is None:
        return (Hint(remedy=Remedy.NONE, object=ref, reason=f"container {container.name} is not of {ref}'s own pod template"),)
    if good is None:
        return (Hint(remedy=Remedy.NONE, object=ref, reason="no earlier revision shows an image that ran: a person names it"),)
    image, old_image = new.get("image", ""), (container_spec(good.template, container.name) or {}).get("image", "")
    if image == old_image and not _access_changed(good, workload):
        return (Hint(remedy=Remedy.NONE, object=ref, reason=f"{image} ran before and did not change: {trouble}"),)
    if trouble is Trouble.UNREACHABLE and _registry(image) == _registry(old_image):
        reason = f"{trouble}, and {old_image} comes from it too: the pull goes on by itself once it answers"
        return (Hint(remedy=Remedy.NONE, object=ref, reason=reason),)
    proof = f"{why_good(snapshot, good)}, with image {old_image or '(none)'} for {container.name}"
    back = Hint(remedy=Remedy.ROLL_BACK, object=ref, revision=good.number, template_digest=good.template_digest, reason=proof)
    if image == old_image or not old_image:
        return (back,)
    reason = f"revision {good.number} ran {old_image}; everything else of the newest revision stays"
    return back, Hint(remedy=Remedy.SET_IMAGE, object=ref, container=container.name, image=old_image, reason=reason)


def _registry(image: str) -> str:
    """The host of an image reference; a first part without dot, colon or being localhost is a path on Docker Hub."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def _access_changed(good: Revision, workload: Workload) -> bool:
    """Whether the revision changed with whose credentials, or whether at all, images are pulled."""
    paths = ("/spec/imagePullSecrets", "/spec/serviceAccountName")
    changes = differences(good.template, workload.template)
    return any(c.path.startswith(paths) or c.path.endswith("/imagePullPolicy") for c in changes)


FAILURE: Final = FailureClass(
    name="bad_image",
    rank=2,
    detect=detect,
    seen_in="pods",
    not_found="no container waits for its image",
    restart_is_useless="new pods would wait for the same image",
    scaling_is_useless="more pods would wait for the same image",
    shared=CauseKind.REGISTRY,
)
