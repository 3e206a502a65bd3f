"""Every detector over a snapshot, and over those of the dependencies that it blames."""

from opsmend.agents.sre.detectors import FAILURES
from opsmend.agents.sre.failure_class import FailureClass
from opsmend.domain.diagnosis import HEALTHY, Evidence, Finding
from opsmend.domain.snapshot import Snapshot


def find_causes(snapshot: Snapshot) -> list[Finding]:
    """All findings. One that blames a dependency says what is wrong with that one, as deep as it was looked into."""
    return [finding for failure in FAILURES for finding in _found(failure, snapshot)]


def _found(failure: FailureClass, snapshot: Snapshot) -> list[Finding]:
    findings = failure.detect(snapshot)
    return [_deepened(snapshot, finding) for finding in findings] if failure.blames_another else findings


def _deepened(snapshot: Snapshot, blames: Finding) -> Finding:
    """The deepest finding about the dependency, told as the cause of ours, with the evidence of both."""
    around = snapshot.around(blames.beside[0])
    causes = [f for f in find_causes(around) if f.category != HEALTHY] if around else []
    if not causes:
        return blames
    cause = min(causes, key=lambda f: (f.rank, -f.confidence))
    subject = snapshot.workload.ref if snapshot.workload else snapshot.target.ref
    because = cause.summary if cause.beside else f"{blames.resource} does: {cause.summary}"
    return blames.model_copy(
        update={
            "category": cause.category,
            "resource": cause.resource,
            "summary": f"{subject} fails because {because}",
            "confidence": min(blames.confidence, cause.confidence),
            "evidence": _both(blames.evidence, cause.evidence),
            "hints": cause.hints,
            "beside": (*blames.beside, *cause.beside),
            "until": cause.until,
            "shared": cause.shared or blames.shared,
        }
    )


def _both(ours: tuple[Evidence, ...], theirs: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    return tuple(e.model_copy(update={"id": f"e{number}"}) for number, e in enumerate((*ours, *theirs), start=1))
