"""Pods cannot start because something that they name is not there: a ConfigMap, a Secret, a key, a service account."""

import re
from typing import Final

from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.failures import containers, events_about
from opsmend.agents.sre.reading.mounts import referenced
from opsmend.agents.sre.reading.notes import Notes
from opsmend.agents.sre.reading.restoring import restorable, seen_good
from opsmend.agents.sre.reading.revisions import differences, in_words, last_good, why_good
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.health import STARTING_REASONS
from opsmend.domain.snapshot import ConfigReference, Event, Pod, Revision, Snapshot
from opsmend.domain.target import Kind, ObjectRef

CONFIG_WAITING: Final = frozenset({"CreateContainerConfigError", "CreateContainerError"})

_NOT_THERE: Final = re.compile(r"(?i)not found|couldn't find|could not find|non-?existent|does not exist|no such|missing")
_SERVICE_ACCOUNT: Final = re.compile(r"(?i)service ?account \"?(?:[\w-]+/)?([\w.-]+)\"? (?:was )?not found")


def detect(snapshot: Snapshot) -> list[Finding]:
    """Abstains for optional references, and for missing ones that no pod waits for (it started before they went)."""
    stuck = [pod for pod in snapshot.pods if not pod.deleting and _waits_for_config(pod)]
    words = _what_is_said(snapshot, stuck)
    found = []
    for reference in _unique(snapshot.config):
        missing = _what_is_missing(reference, words)
        if missing and stuck:
            found.append(_finding(snapshot, stuck, reference, missing, words))
    return found or _missing_service_account(snapshot)


def _waits_for_config(pod: Pod) -> bool:
    waiting = {container.waiting_reason for container in pod.containers}
    return bool(waiting & (CONFIG_WAITING | STARTING_REASONS))


def _what_is_said(snapshot: Snapshot, stuck: list[Pod]) -> list[tuple[str, str]]:
    """(source, message) of everything that says that something is not there."""
    said = [
        (f"pod/{p.name} container {c.name}", c.waiting_message)
        for p, c in containers(stuck)
        if c.waiting_reason in CONFIG_WAITING
    ]
    said += [(f"event {e.about}", f"{e.reason}: {e.message}") for e in events_about(snapshot, stuck, "FailedMount", "Failed")]
    return [(source, message) for source, message in said if _NOT_THERE.search(message)]


def _unique(config: tuple[ConfigReference, ...]) -> list[ConfigReference]:
    """One reference per object, its needed keys joined; an object that is needed anywhere is not optional."""
    merged: dict[ObjectRef, ConfigReference] = {}
    for reference in config:
        known = merged.get(reference.ref)
        if known is None:
            merged[reference.ref] = reference
        else:
            keys = tuple(dict.fromkeys((*known.needed_keys, *reference.needed_keys)))
            merged[reference.ref] = known.model_copy(
                update={"needed_keys": keys, "optional": known.optional and reference.optional}
            )
    return list(merged.values())


def _what_is_missing(reference: ConfigReference, words: list[tuple[str, str]]) -> str:
    """`itself`, a key, or nothing. The object's own state counts first; a Secret's keys are known from the kubelet's words."""
    if reference.optional:
        return ""
    if reference.exists is False:
        return "itself"
    if reference.ref.kind is Kind.CONFIG_MAP and reference.exists:
        absent = [key for key in reference.needed_keys if key not in reference.keys]
        if absent:
            return absent[0]
    name = re.compile(rf"(?<![\w.-]){re.escape(reference.ref.name)}(?![\w.-])")
    for _, message in words:
        named_key = next((k for k in reference.needed_keys if re.search(rf"(?<![\w.-]){re.escape(k)}(?![\w-])", message)), "")
        if name.search(message) and "key" in message.lower():
            return named_key or "a key"
        if name.search(message) and reference.exists is None:
            return "itself"
    return ""


def _finding(
    snapshot: Snapshot, stuck: list[Pod], reference: ConfigReference, missing: str, words: list[tuple[str, str]]
) -> Finding:
    notes = Notes()
    for source, message in [(s, m) for s, m in words if reference.ref.name in m][:3]:
        notes.add(source, message)
    if reference.last_good and missing in reference.last_good.values:
        notes.add(f"last known good of {reference.ref}", seen_good(reference.last_good))
    what = str(reference.ref) if missing == "itself" else f"key {missing} of {reference.ref}"
    state = "does not exist" if missing == "itself" else f"it has the keys {', '.join(reference.keys) or '(not told)'}"
    notes.add(str(reference.ref), f"{what} is needed by {reference.used_by or 'the pod template'}: {state}")
    return FAILURE.finding(
        resource=reference.ref,
        summary=f"{len(stuck)} pods of {snapshot.target} cannot start: {what} is missing",
        confidence=0.95 if reference.exists is False or len(notes.evidence) > 1 else 0.8,
        evidence=notes.evidence,
        hints=_hints(snapshot, reference, missing, what),
    )


def _hints(snapshot: Snapshot, reference: ConfigReference, missing: str, what: str) -> tuple[Hint, ...]:
    restores = restorable(reference, missing) if missing in _known_keys(reference) else ()
    if any(hint.remedy is Remedy.RESTORE_CONFIG for hint in restores):
        return restores
    good = last_good(snapshot)
    if good and snapshot.workload and _did_without(good, snapshot, reference, missing):
        changes = in_words(differences(good.template, snapshot.workload.template))
        reason = f"{why_good(snapshot, good)} without {what}; the newest revision changed {changes}"
        return (_roll_back(snapshot.workload.ref, good, reason),)
    return restores or (
        Hint(remedy=Remedy.NONE, object=reference.ref, reason=f"{what} has to be made by a person: its content is not known"),
    )


def _known_keys(reference: ConfigReference) -> set[str]:
    """Keys that the object is known to have had."""
    return {*(reference.last_applied or {}), *(reference.last_good.values if reference.last_good else {})}


def _did_without(good: Revision, snapshot: Snapshot, reference: ConfigReference, missing: str) -> bool:
    if (reference.ref.kind, reference.ref.name) not in referenced(good.template):
        return True
    changes = differences(good.template, snapshot.revisions[0].template)
    return any(change.after == missing and change.path.endswith("/key") for change in changes)


def _roll_back(ref: ObjectRef, good: Revision, reason: str) -> Hint:
    digest = good.template_digest
    return Hint(remedy=Remedy.ROLL_BACK, object=ref, revision=good.number, template_digest=digest, reason=reason)


def _missing_service_account(snapshot: Snapshot) -> list[Finding]:
    """The controller cannot even create the pods: nothing is stuck, they are not there."""
    workload = snapshot.workload
    if workload is None or workload.replicas >= workload.desired_replicas:
        return []
    named: list[tuple[Event, str]] = [
        (event, match.group(1))
        for event in snapshot.events
        if event.reason == "FailedCreate" and (match := _SERVICE_ACCOUNT.search(event.message))
    ]
    if not named:
        return []
    event, name = named[-1]
    notes = Notes()
    notes.add_event(event)
    good = last_good(snapshot)
    used = [(r.template.get("spec") or {}).get("serviceAccountName", "default") for r in (good,) if r]
    if good and used != [name]:
        hint = _roll_back(workload.ref, good, f"{why_good(snapshot, good)} as service account {used[0]}")
    else:
        hint = Hint(remedy=Remedy.NONE, object=workload.ref, reason=f"service account {name} has to be made by a person")
    return [
        FAILURE.finding(
            resource=workload.ref,
            summary=f"No pods of {workload.ref} can be created: service account {name} is missing",
            confidence=0.9,
            evidence=notes.evidence,
            hints=(hint,),
        )
    ]


FAILURE: Final = FailureClass(
    name="missing_reference",
    rank=1,
    detect=detect,
    seen_in="pods",
    not_found="no pod waits for a ConfigMap, Secret or key that is not there",
    restart_is_useless="new pods would wait for the same missing object",
)
