"""A Service that the target calls does not serve: the target itself is not what is wrong.

Why it does not serve is found by the same detectors in its own neighbourhood (see causes.py).
"""

from typing import Final, NamedTuple

from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.connections import Sign, signs_of
from opsmend.agents.sre.reading.failures import containers, is_failing
from opsmend.agents.sre.reading.notes import Notes
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.health import assess
from opsmend.domain.shared_cause import CauseKind, SharedCause
from opsmend.domain.snapshot import Dependency, Snapshot
from opsmend.domain.target import ObjectRef
from opsmend.domain.verification import Health

NAMED: Final = 0.9
BY_PORT: Final = 0.75
UNSAID: Final = 0.45
"""Nothing that the target says names it: a possibility for a person, too little to change anything for."""
STILL_MOVING: Final = 0.15
"""What a dependency costs in confidence that is neither well nor proven to be broken."""


class _Down(NamedTuple):
    who: ObjectRef
    what: str
    sure: bool


def detect(snapshot: Snapshot) -> list[Finding]:
    """Abstains for dependencies that answer, and for silent ones while the target itself is well."""
    failing = assess(snapshot).health is not Health.HEALTHY
    findings = []
    for dependency in snapshot.dependencies:
        signs = signs_of(snapshot, dependency)
        down = _down(dependency) if signs or failing else None
        if down:
            findings.append(_finding(snapshot, dependency, down, signs))
    return findings


def _down(dependency: Dependency) -> _Down | None:
    """Its own neighbourhood tells most; without it the endpoints do, and whether it exists at all."""
    if dependency.exists is False:
        return _Down(dependency.ref, "does not exist", sure=False)
    if dependency.snapshot is not None:
        return _not_well(dependency, dependency.snapshot)
    service = dependency.service
    if service is not None and not service.ready_endpoints:
        return _Down(dependency.ref, f"has no ready endpoint of {service.not_ready_endpoints}", sure=True)
    return None


def _not_well(dependency: Dependency, around: Snapshot) -> _Down | None:
    """One that is only being rolled out serves meanwhile; one that is well itself may fail for what it calls in turn."""
    judged = assess(around)
    who = around.workload.ref if around.workload else dependency.ref
    if blamed := next((f for f in detect(around) if f.confidence > UNSAID), None):
        return _Down(who, blamed.summary, sure=True)
    crashes = any(is_failing(container, around.taken_at) for _, container in containers(around.pods))
    serves = dependency.seen_service is not None and dependency.seen_service.ready_endpoints > 0
    if judged.health is Health.HEALTHY or (judged.health is Health.INCONCLUSIVE and serves and not crashes):
        return None
    return _Down(who, "; ".join(judged.reasons[:2]) or "is not well", sure=judged.health is Health.UNHEALTHY)


def _finding(snapshot: Snapshot, dependency: Dependency, down: _Down, signs: list[Sign]) -> Finding:
    subject = snapshot.workload.ref if snapshot.workload else snapshot.target.ref
    notes = Notes()
    for sign in signs[:2]:
        notes.add(sign.source, sign.passage)
    notes.add(str(dependency.ref), f"is called by {dependency.named_in}; {_state(dependency)}")
    said = f" ({signs[0].how})" if signs else ""
    confidence = (NAMED if signs[0].named else BY_PORT) if signs else UNSAID
    return FAILURE.finding(
        resource=down.who,
        summary=f"{subject} fails because {down.who}, which it calls{said}, does not serve: {down.what}",
        confidence=confidence if down.sure or not signs else confidence - STILL_MOVING,
        evidence=notes.evidence,
        hints=(Hint(remedy=Remedy.NONE, object=down.who, reason=_reason(dependency, down)),),
        beside=(dependency.ref,),
        shared=SharedCause.of(CauseKind.DEPENDENCY, dependency.ref),
    )


def _state(dependency: Dependency) -> str:
    if dependency.exists is False:
        return "no such Service exists"
    service = dependency.seen_service
    return f"{service.ready_endpoints} ready endpoints" if service else "its endpoints were not seen"


def _reason(dependency: Dependency, down: _Down) -> str:
    if dependency.exists is False:
        return f"{dependency.ref} was deleted, or {dependency.named_in} misspells it: a person has to tell which"
    return f"no rule tells why {down.who} does not serve: whoever runs it has to look"


FAILURE: Final = FailureClass(
    name="dependency_down",
    rank=2,
    detect=detect,
    restart_is_useless="new pods would call the same Service, which does not serve",
    scaling_is_useless="more replicas would call the same Service, which does not serve",
    shared=CauseKind.DEPENDENCY,
    blames_another=True,
)
