"""A program ends because of its configuration and says so in its log."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.config_errors import (
    ConfigComplaint,
    ConfigKey,
    find_complaint,
    find_missing_variable,
)
from opsmend.agents.sre.reading.failures import containers, failing_log, is_failing, killed_by_probe
from opsmend.agents.sre.reading.mounts import keys_read, mounted_files, read_variables, referenced
from opsmend.agents.sre.reading.notes import Notes
from opsmend.agents.sre.reading.restoring import by_whom, last_edit, restorable, seen_good
from opsmend.agents.sre.reading.revisions import (
    container_spec,
    differences,
    effective_differences,
    first_ran,
    in_words,
    last_good,
    newest_pods,
    template_of_pod,
    why_good,
)
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.shared_cause import CauseKind, SharedCause
from opsmend.domain.snapshot import ConfigReference, Container, Pod, Revision, Snapshot, Workload
from opsmend.domain.target import Kind, ObjectRef

SAME_TIME = timedelta(minutes=15)
"""An edit that is at most so much older than the newest revision was made with it: deploy tools write configuration first."""

WELL_FOUNDED = 7
"""Points of a complaint (see config_errors) that stand alone; weaker ones need a change of the configuration beside them."""


class _Blamed(NamedTuple):
    """What a log holds responsible. Without `ref` it is a part of the pod template or of the image."""

    pod: Pod
    container: Container
    excerpt: str
    what: str
    score: int
    ref: ObjectRef | None = None
    key: str = ""


class _Origin(NamedTuple):
    """Where the fault came from, as far as it can be told, and what would take it away."""

    told: str
    hints: tuple[Hint, ...]
    changed: bool
    resource: ObjectRef
    known_good: str = ""


def detect(snapshot: Snapshot) -> list[Finding]:
    """Looks only at containers whose process ended by itself: a running program's complaints broke nothing."""
    blamed = [b for pod, container in containers(snapshot.pods) if (b := _blame(snapshot, pod, container))]
    if not blamed:
        return []
    worst = max(blamed, key=lambda b: b.score)
    origin = _origin(snapshot, worst)
    if worst.score < WELL_FOUNDED and not origin.changed:
        return []
    notes = Notes()
    for other in [worst, *blamed][:3]:
        notes.add_log(other.pod, other.container, other.excerpt)
    notes.add(str(origin.resource), origin.told)
    if origin.known_good:
        notes.add(f"last known good of {origin.resource}", origin.known_good)
    return [
        FAILURE.finding(
            resource=origin.resource,
            summary=f"Container {worst.container.name} cannot start with its configuration: {worst.what}; {origin.told}",
            confidence=_confidence(worst, origin),
            evidence=notes.evidence,
            hints=origin.hints,
            shared=_shared(origin),
        )
    ]


def _shared(origin: _Origin) -> SharedCause | None:
    """A ConfigMap that was edited in place breaks whoever reads it. What a revision brought is its own workload's."""
    edited = origin.changed and origin.resource.kind is Kind.CONFIG_MAP
    return SharedCause.of(CauseKind.CONFIG_MAP, origin.resource) if edited else None


def _confidence(blamed: _Blamed, origin: _Origin) -> float:
    """Nine in ten when the log names the place and the place changed; each missing half costs."""
    return 0.9 - (0.0 if blamed.score >= WELL_FOUNDED else 0.15) - (0.0 if origin.changed else 0.15)


def _blame(snapshot: Snapshot, pod: Pod, container: Container) -> _Blamed | None:
    log = failing_log(container)
    if not log or not is_failing(container, snapshot.taken_at) or killed_by_probe(snapshot, pod, container):
        return None
    template = template_of_pod(snapshot, pod)
    spec = container_spec(template, container.name) or {}
    files = mounted_files(template.get("spec") or {}, spec, pod.namespace, snapshot.config)
    read = {file.ref for file in files} | {variable.ref for variable in read_variables(spec, pod.namespace)}
    data: dict[ConfigKey, str] = {(c.ref.name, k): v for c in snapshot.config if c.ref in read for k, v in c.data.items()}
    complaint = find_complaint(log, files, data)
    if complaint:
        return _from_complaint(pod, container, complaint)
    missing = find_missing_variable(log)
    if missing is None:
        return None
    name, line = missing
    source = next((v for v in read_variables(spec, pod.namespace) if v.name == name), None)
    given = any(variable.get("name") == name and variable.get("value") for variable in spec.get("env") or [])
    score = WELL_FOUNDED - 1 if given else WELL_FOUNDED
    what = f"environment variable {name} is missing"
    return _Blamed(pod, container, line, what, score, source.ref if source else None, source.key if source else "")


def _from_complaint(pod: Pod, container: Container, complaint: ConfigComplaint) -> _Blamed:
    place = complaint.file.path if complaint.file else "a file of its image or its arguments"
    parts = [place]
    if complaint.line_number:
        parts.append(f"line {complaint.line_number}")
    ref, key = (complaint.file.ref, complaint.file.key) if complaint.file else (None, "")
    return _Blamed(pod, container, complaint.excerpt, ", ".join(parts), complaint.score, ref, key)


def _origin(snapshot: Snapshot, blamed: _Blamed) -> _Origin:
    """The last change that can have brought the fault: an edit in place, else the newest revision."""
    workload = snapshot.workload
    resource = blamed.ref or (workload.ref if workload else snapshot.target.ref)
    config = next((c for c in snapshot.config if c.ref == blamed.ref), None)
    good = last_good(snapshot)
    changed = bool(good and workload and effective_differences(good.template, workload.template))
    if config and _edited_in_place(snapshot, config, blamed.key, good if changed else None):
        return _edit(snapshot, config, blamed)
    if good and workload and changed and blamed.pod in newest_pods(snapshot):
        return _shipped_by_revision(snapshot, workload, good)
    told = "nothing shows when it changed or what it was before"
    return _Origin(
        told, (Hint(remedy=Remedy.NONE, object=resource, reason=f"{told}: a person has to correct it"),), False, resource
    )


def _edited_in_place(snapshot: Snapshot, config: ConfigReference, key: str, good: Revision | None) -> bool:
    """Whether the object was written after pods of the same template ran with it.

    With a revision in between that changed more than annotations, only an edit that is as new as the revision is blamed,
    unless the revision itself was seen to run well before the edit.
    """
    if not snapshot.revisions:
        return False
    began, (_, edited_at) = first_ran(snapshot), last_edit(config, key)
    if began and _ran_well_since(snapshot, config, key, began):
        return True
    if edited_at is None or began is None:
        return False
    if good is None:
        # Times have whole seconds: within one of them, only a difference from what was applied tells an edit from the creation.
        differs = any(hint.remedy is Remedy.RESTORE_CONFIG for hint in restorable(config, key))
        return edited_at > began or (edited_at == began and differs)
    shared = (config.ref.kind, config.ref.name) in referenced(good.template)
    newest = snapshot.revisions[0].created_at
    return shared and newest is not None and edited_at > newest - SAME_TIME


def _ran_well_since(snapshot: Snapshot, config: ConfigReference, key: str, began: datetime) -> bool:
    """Whether the present template was seen to run well with another value of `key`."""
    known, workload = config.last_good, snapshot.workload
    if known is None or workload is None or key not in known.values:
        return False
    return str(workload.ref) in known.workloads and known.last_seen >= began


def _edit(snapshot: Snapshot, config: ConfigReference, blamed: _Blamed) -> _Origin:
    key = blamed.key
    told = f"key {key or '(unknown)'} of {config.ref} was edited in place{by_whom(config, key)}"
    template = template_of_pod(snapshot, blamed.pod)
    container = container_spec(template, blamed.container.name) or {}
    hints = restorable(config, key, keys_read(template, container, config.ref, snapshot.config))
    known_good = seen_good(config.last_good) if config.last_good and key in config.last_good.values else ""
    nothing = "its earlier content is kept nowhere, and every revision reads this object: a rollback changes nothing"
    otherwise = Hint(remedy=Remedy.NONE, object=config.ref, reason=nothing)
    return _Origin(told, hints or (otherwise,), True, config.ref, known_good)


def _shipped_by_revision(snapshot: Snapshot, workload: Workload, good: Revision) -> _Origin:
    number = snapshot.revisions[0].number
    changes = in_words(differences(good.template, workload.template))
    told = f"revision {number} brought it ({changes}); {why_good(snapshot, good)}"
    digest = good.template_digest
    back = Hint(remedy=Remedy.ROLL_BACK, object=workload.ref, revision=good.number, template_digest=digest, reason=told)
    return _Origin(told, (back,), True, workload.ref)


FAILURE: Final = FailureClass(
    name="broken_configuration",
    rank=2,
    detect=detect,
    seen_in="pods",
    not_found="no ended container blames its configuration",
    restart_is_useless="new pods would read the same configuration, which is still broken",
    scaling_is_useless="more replicas that read the same broken configuration",
    shared=CauseKind.CONFIG_MAP,
)
