"""From findings to one diagnosis: the deepest cause, what it explains, what was looked for in vain."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from opsmend.agents.sre.detectors import FAILURES, class_of
from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.failures import containers, failed_run, failing_log, is_failing
from opsmend.agents.sre.reading.maintenance import declared
from opsmend.agents.sre.reading.notes import Notes
from opsmend.domain.diagnosis import (
    HEALTHY,
    MAINTENANCE,
    SURE_ENOUGH,
    UNKNOWN,
    Diagnosis,
    Finding,
    Hint,
    Recollection,
    RuledOut,
    Tier,
)
from opsmend.domain.health import assess
from opsmend.domain.service_routing import pod_labels, selects
from opsmend.domain.shared_cause import NAME_RESOLUTION, NAME_SERVER, CauseKind, SharedCause
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.verification import Health

REMEMBERED: Final = 0.05
"""What a like incident that was fixed adds to the confidence: enough to break a tie, never to overturn a rank."""
CERTAIN: Final = 0.98
"""Rules are never surer than this."""
UNCLEAR: Final = 0.1
_DEPENDENCIES_TOLD: Final = 5


def diagnose(snapshot: Snapshot, findings: Sequence[Finding], recalled: Sequence[Recollection] = ()) -> Diagnosis:
    """The finding of lowest rank, then highest confidence, then newest evidence. Without findings: unknown, for a person.

    Memory adds to the confidence of a finding of its category and so may break a tie between equals; it never overrules a rank.
    """
    if not findings:
        return _unknown(snapshot, tuple(recalled))
    ordered = sorted(findings, key=lambda finding: _order(finding, recalled))
    cause = ordered[0]
    like = tuple(r for r in recalled if r.category == cause.category)
    evidence = list(cause.evidence)
    sure = cause.confidence >= SURE_ENOUGH
    failure = class_of(cause.category)
    return Diagnosis(
        summary=cause.summary + _remembers(like),
        category=cause.category,
        resource=cause.resource,
        confidence=_confidence(cause, recalled),
        tier=Tier.RULES,
        evidence=tuple(e.model_copy(update={"id": f"e{number}"}) for number, e in enumerate(evidence, start=1)),
        hints=(*cause.hints, *_besides(cause, ordered[1:])),
        ruled_out=(
            *_explained(cause, ordered[1:]),
            *_answering(snapshot, findings),
            *_doubted(snapshot),
            *_absent(snapshot, findings),
        ),
        recalled=like,
        unseen=snapshot.unseen,
        rule=cause.detector,
        restart_is_useless=failure.restart_is_useless if failure else "",
        scaling_is_useless=failure.scaling_is_useless if failure else "",
        beside=cause.beside,
        until=cause.until,
        shared=cause.shared if sure else None,
        stands_for=_stands_for(snapshot) if sure and not cause.shared and cause.category != HEALTHY else (),
    )


def _stands_for(snapshot: Snapshot) -> tuple[SharedCause, ...]:
    """The Services that select the target and have no ready endpoint."""
    labels = pod_labels(snapshot.workload) if snapshot.workload else {}
    dead = [s.ref for s in snapshot.services if s.endpoints_seen and not s.ready_endpoints and selects(s, labels)]
    return tuple(NAME_RESOLUTION if str(ref) == NAME_SERVER else SharedCause.of(CauseKind.DEPENDENCY, ref) for ref in dead)


def _order(finding: Finding, recalled: Sequence[Recollection]) -> tuple[int, float, float]:
    newest = max((e.at for e in finding.evidence if e.at), default=None)
    return finding.rank, -_confidence(finding, recalled), -_seconds(newest)


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


def _confidence(finding: Finding, recalled: Sequence[Recollection]) -> float:
    remembered = any(r.category == finding.category and r.outcome == "remediated" for r in recalled)
    return max(finding.confidence, min(finding.confidence + REMEMBERED, CERTAIN)) if remembered else finding.confidence


def _remembers(like: tuple[Recollection, ...]) -> str:
    if not like:
        return ""
    best = max(like, key=lambda r: r.score)
    done = f": {best.remedy}" if best.remedy else ""
    return f". Seen before in {best.incident_id} ({best.outcome}{done})"


def _explained(cause: Finding, others: Sequence[Finding]) -> list[RuledOut]:
    return [
        RuledOut(
            what=f"{other.category}: {other.summary}",
            why=f"explained by {cause.category}, which others depend on"
            if other.rank > cause.rank
            else f"less sure ({other.confidence:.2f}) than {cause.category} ({cause.confidence:.2f})",
        )
        for other in others
    ]


def _absent(snapshot: Snapshot, findings: Sequence[Finding]) -> list[RuledOut]:
    """The causes that were looked for and not found; those whose evidence was not seen are left open."""
    found = {finding.category for finding in findings}
    return [
        RuledOut(what=failure.name, why=failure.not_found)
        for failure in FAILURES
        if failure.not_found and failure.name not in found and _was_seen(snapshot, failure)
    ]


def _besides(cause: Finding, others: Sequence[Finding]) -> tuple[Hint, ...]:
    """What is to be done besides mending the cause: with a Job that failed of it."""
    if cause.category == MAINTENANCE:
        return ()
    besides = {failure.name for failure in FAILURES if failure.advises_besides}
    return tuple(hint for other in others if other.category in besides for hint in other.hints)


def _looked_for(snapshot: Snapshot, findings: Sequence[Finding]) -> tuple[RuledOut, ...]:
    return (*_answering(snapshot, findings), *_doubted(snapshot), *_absent(snapshot, findings))


def _answering(snapshot: Snapshot, findings: Sequence[Finding]) -> list[RuledOut]:
    """Dependencies that serve and that no finding blames, so that nobody needs to look there."""
    blamed = {ref for finding in findings for ref in finding.beside}
    found = []
    for dependency in [d for d in snapshot.dependencies if d.ref not in blamed][:_DEPENDENCIES_TOLD]:
        around = dependency.snapshot
        ready = dependency.seen_service.ready_endpoints if dependency.seen_service else 0
        if ready and (around is None or assess(around).health is Health.HEALTHY):
            found.append(RuledOut(what=str(dependency.ref), why=f"{dependency.ref.name} answers: {ready} ready endpoints"))
    return found


def _doubted(snapshot: Snapshot) -> list[RuledOut]:
    """Declared maintenance that is not believed, with the reason."""
    return [
        RuledOut(what=f"maintenance as declared on {window.declared_on}", why=doubt)
        for window in declared(snapshot)
        if (doubt := window.doubt(snapshot.taken_at))
    ]


def _was_seen(snapshot: Snapshot, failure: FailureClass) -> bool:
    return not failure.seen_in or bool(getattr(snapshot, failure.seen_in))


def _unknown(snapshot: Snapshot, recalled: tuple[Recollection, ...]) -> Diagnosis:
    judged = assess(snapshot)
    notes = Notes()
    for reason in judged.reasons[:5]:
        notes.add(str(snapshot.target), reason)
    for pod, container in containers(snapshot.pods):
        run = failed_run(container)
        if run and is_failing(container, snapshot.taken_at) and len(notes.evidence) < 10:
            notes.add_container(pod, container, f"exited with {run.exit_code} ({run.reason})", run.finished_at)
            notes.add_log(pod, container, "\n".join(failing_log(container).splitlines()[-5:]))
    state = "; ".join(judged.reasons[:3]) or f"it looks {judged.health}"
    return Diagnosis(
        summary=f"No rule explains what is wrong with {snapshot.target}: {state}",
        category=UNKNOWN,
        resource=snapshot.target.ref,
        confidence=UNCLEAR,
        tier=Tier.NONE,
        evidence=notes.evidence,
        ruled_out=_looked_for(snapshot, ()),
        recalled=recalled,
        unseen=snapshot.unseen,
        rule="",
    )
