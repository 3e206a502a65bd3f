"""Names cannot be resolved: a Service that serves is not found by its name, or the name server itself fails."""

from typing import Final

from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.connections import UNRESOLVED, Sign, failures_of_the_name_server, signs_of
from opsmend.agents.sre.reading.notes import Notes
from opsmend.agents.sre.reading.revisions import differences, last_good
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.shared_cause import NAME_RESOLUTION, CauseKind
from opsmend.domain.snapshot import Dependency, Snapshot

SERVES_UNNAMED: Final = 0.9
"""A Service with ready endpoints that cannot be resolved: nothing but name resolution is left."""
SAID: Final = 0.75
"""Only the words of the target: its own network may keep it from the name server as well."""


def detect(snapshot: Snapshot) -> list[Finding]:
    """Abstains where the newest revision changed how the target resolves names: then that is what broke it."""
    unnamed = [(d, signs[0]) for d in snapshot.dependencies if _serves(d) and (signs := _unresolved(snapshot, d))]
    failing = failures_of_the_name_server(snapshot)
    if not (unnamed or failing) or _changed_its_own_way(snapshot):
        return []
    notes = Notes()
    for sign in [*(sign for _, sign in unnamed), *failing][:3]:
        notes.add(sign.source, sign.passage)
    for dependency, _ in unnamed[:3]:
        service = dependency.seen_service
        notes.add(str(dependency.ref), f"serves all the same: {service.ready_endpoints if service else 0} ready endpoints")
    subject = snapshot.workload.ref if snapshot.workload else snapshot.target.ref
    example = f"{unnamed[0][0].ref}, which serves, is not found by its name" if unnamed else "the name server does not answer"
    reason = "CoreDNS, its Service kube-system/kube-dns and what the network lets through to it need a person"
    return [
        FAILURE.finding(
            resource=subject,
            summary=f"{subject} cannot resolve names: {example}",
            confidence=SERVES_UNNAMED if unnamed else SAID,
            evidence=notes.evidence,
            hints=(Hint(remedy=Remedy.NONE, object=subject, reason=reason),),
            # By the words of one target alone, of whatever name, nobody else is kept waiting.
            shared=NAME_RESOLUTION if unnamed else None,
        )
    ]


def _serves(dependency: Dependency) -> bool:
    """One without ready endpoints may have no name because of that, if it is headless."""
    service = dependency.seen_service
    return service is not None and service.ready_endpoints > 0


def _unresolved(snapshot: Snapshot, dependency: Dependency) -> list[Sign]:
    return [sign for sign in signs_of(snapshot, dependency) if sign.how == UNRESOLVED and sign.named]


def _changed_its_own_way(snapshot: Snapshot) -> bool:
    good = last_good(snapshot)
    if good is None or not snapshot.revisions:
        return False
    changed = differences(good.template, snapshot.revisions[0].template)
    return any(change.path.startswith(("/spec/dns", "/spec/hostNetwork")) for change in changed)


FAILURE: Final = FailureClass(
    name="name_resolution",
    rank=2,
    detect=detect,
    seen_in="pods",
    not_found="nothing that it says is about a name that cannot be resolved",
    restart_is_useless="new pods would ask the same name server",
    scaling_is_useless="more replicas would ask the same name server",
    shared=CauseKind.NAME_RESOLUTION,
)
