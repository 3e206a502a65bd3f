"""Whether a target suffers from a cause that an incident sees to already: two calls instead of a whole investigation.

A glance shows the target's pods, and one log or the events of one pod. What a known cause does not explain, or explains only in
part, is looked into as ever.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from opsmend.agents.sre.detectors import FAILURES, bad_image
from opsmend.agents.sre.reading.config_errors import find_complaint, find_missing_variable
from opsmend.agents.sre.reading.connections import failures_of_the_name_server, signs_of
from opsmend.agents.sre.reading.failures import containers, failed_run, failing_log
from opsmend.agents.sre.reading.mounts import mounted_files, read_variables, referenced
from opsmend.agents.sre.reading.notes import Notes
from opsmend.agents.sre.reading.revisions import container_spec
from opsmend.domain.diagnosis import Finding
from opsmend.domain.shared_cause import CauseKind, KnownCause, SharedCause
from opsmend.domain.snapshot import Container, Dependency, Pod, Snapshot
from opsmend.domain.target import Kind, Target

CONFIDENCE: Final = 0.8
"""Of what a glance tells: the whole look of the incident that sees to the cause stands behind it."""

_CATEGORIES: Final = {failure.shared: failure.name for failure in FAILURES if failure.shared}


async def explained(
    glance: Callable[[Target], Awaitable[Snapshot | None]], target: Target, known: Sequence[KnownCause]
) -> tuple[Snapshot, Finding] | None:
    """What was seen, and the cause that explains it; None where none does. Raises what `glance` of a ClusterReader raises."""
    seen = await glance(target) if known else None
    if seen is None:
        return None
    sick = [pod for pod in seen.pods if not pod.ready and not pod.deleting and pod.phase != "Succeeded"]
    for one in sorted(known, key=lambda one: list(CauseKind).index(one.cause.kind)):
        notes = Notes()
        if sick and _SHOWS[one.cause.kind](one.cause, seen, sick, notes):
            return seen, _finding(one, target, sick, notes)
    return None


def _finding(known: KnownCause, target: Target, sick: list[Pod], notes: Notes) -> Finding:
    notes.add(str(target), f"pods that are not ready: {', '.join(pod.name for pod in sick[:10])}")
    return Finding(
        detector="known_cause",
        category=_CATEGORIES[known.cause.kind],
        resource=known.cause.ref or target.ref,
        summary=f"{target} suffers from {known.cause}, which {known.holder} sees to",
        confidence=CONFIDENCE,
        rank=0,
        evidence=notes.evidence,
        shared=known.cause,
    )


def _on_the_node(cause: SharedCause, seen: Snapshot, sick: list[Pod], notes: Notes) -> bool:
    """A node's incident stays while its alert fires, be the node back or not: what fails by itself there is not its victim."""
    here = cause.ref is not None and all(pod.node == cause.ref.name for pod in sick)
    return here and not any(_has_its_own_trouble(c) for _, c in containers(sick))


def _has_its_own_trouble(container: Container) -> bool:
    waits_for_more = bool(container.waiting_reason) and container.waiting_reason not in _STARTS
    return not container.ready and not _is_done(container) and (waits_for_more or failed_run(container) is not None)


def _cannot_pull(cause: SharedCause, seen: Snapshot, sick: list[Pod], notes: Notes) -> bool:
    findings = bad_image.detect(seen)
    for finding in findings:
        for evidence in finding.evidence:
            notes.add(evidence.source, evidence.excerpt, evidence.at)
    others = [c for pod in sick for c in pod.containers if not c.ready and not _is_done(c) and c.waiting_reason not in _WAITS]
    placed = all(pod.containers for pod in sick)
    return bool(findings) and placed and not others and all(finding.shared == cause for finding in findings)


_STARTS: Final = frozenset({"PodInitializing", "ContainerCreating"})
_WAITS: Final = bad_image.PULL_REASONS | _STARTS


def _is_done(container: Container) -> bool:
    return container.init and container.terminated is not None and container.terminated.exit_code == 0


def _says(passage_of: Callable[[SharedCause, Snapshot, Pod, Container], str]) -> Callable[..., bool]:
    """By the one log that was read: pods that fail as that one does say the same, any other is a problem of its own.

    So is another container of the same pod that is down, and a run that was ended for its memory whatever it said before.
    """

    def shows(cause: SharedCause, seen: Snapshot, sick: list[Pod], notes: Notes) -> bool:
        read = [(pod, c) for pod in sick for c in pod.containers if c.log or c.previous_log]
        if not read:
            return False
        pod, container = read[0]
        if _is_out_of_memory(container) or any(_is_down(other) for other in pod.containers if other.name != container.name):
            return False
        passage = passage_of(cause, seen, pod, container)
        if passage:
            notes.add_log(pod, container, passage)
        return bool(passage) and all(_way(other) == _way(pod) for other in sick)

    return shows


def _is_down(container: Container) -> bool:
    return not container.ready and not _is_done(container) and container.waiting_reason not in _STARTS


def _is_out_of_memory(container: Container) -> bool:
    run = failed_run(container)
    return run is not None and run.reason == "OOMKilled"


def _way(pod: Pod) -> tuple[object, ...]:
    return pod.revision_hash, *((c.name, c.ready, _ended(c)) for c in pod.containers)


def _ended(container: Container) -> tuple[int, str] | None:
    run = container.terminated or container.last_terminated
    return (run.exit_code, run.reason) if run else None


def _names_the_dependency(cause: SharedCause, seen: Snapshot, pod: Pod, container: Container) -> str:
    if cause.ref is None:
        return ""
    dependency = Dependency(ref=cause.ref, hosts=(cause.ref.name,), named_in="")
    return next((sign.passage for sign in signs_of(seen, dependency) if sign.named), "")


def _cannot_resolve(cause: SharedCause, seen: Snapshot, pod: Pod, container: Container) -> str:
    """A name that is not known may be misspelt: a whole look tells, for it knows which Services there are."""
    return next((sign.passage for sign in failures_of_the_name_server(seen)), "")


def _blames_the_config_map(cause: SharedCause, seen: Snapshot, pod: Pod, container: Container) -> str:
    ref, log = cause.ref, failing_log(container)
    if ref is None or ref.namespace != pod.namespace or (Kind.CONFIG_MAP, ref.name) not in referenced({"spec": pod.spec}):
        return ""
    spec = container_spec({"spec": pod.spec}, container.name) or {}
    complaint = find_complaint(log, mounted_files(pod.spec, spec, pod.namespace, ()), {})
    if complaint and complaint.file and complaint.file.ref == ref:
        return complaint.excerpt
    missing = find_missing_variable(log)
    from_it = {v.name for v in read_variables(spec, pod.namespace) if v.ref == ref}
    whole = any((s.get("configMapRef") or {}).get("name") == ref.name for s in spec.get("envFrom") or [])
    return missing[1] if missing and (whole or missing[0] in from_it) else ""


_SHOWS: Final[dict[CauseKind, Callable[[SharedCause, Snapshot, list[Pod], Notes], bool]]] = {
    CauseKind.NODE: _on_the_node,
    CauseKind.REGISTRY: _cannot_pull,
    CauseKind.NAME_RESOLUTION: _says(_cannot_resolve),
    CauseKind.DEPENDENCY: _says(_names_the_dependency),
    CauseKind.CONFIG_MAP: _says(_blames_the_config_map),
}
