"""Containers of the newest revision end right after start, and an earlier revision ran."""

from typing import Final

from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.failures import (
    containers,
    failed_run,
    failing_log,
    is_failing,
    killed_by_probe,
    ran_well_before,
)
from opsmend.agents.sre.reading.notes import Notes
from opsmend.agents.sre.reading.revisions import (
    effective_differences,
    in_words,
    last_good,
    newest_pods,
    older_pods,
    why_good,
)
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.snapshot import Container, Pod, Snapshot

LOG_LINES = 5
"""Last lines of the failed run's log that are shown: an exception and what it says."""


def detect(snapshot: Snapshot) -> list[Finding]:
    """Abstains when older pods crash too, or when these ran well for long: then the revision is not to blame."""
    good = last_good(snapshot)
    if snapshot.workload is None or good is None:
        return []
    changes = effective_differences(good.template, snapshot.revisions[0].template)
    crashing = [case for case in containers(newest_pods(snapshot)) if _crashes(snapshot, *case)]
    old_crash = any(_crashes(snapshot, *case) for case in containers(older_pods(snapshot)))
    if not changes or not crashing or old_crash or all(ran_well_before(*case, snapshot.taken_at) for case in crashing):
        return []
    current = snapshot.revisions[0]
    notes = Notes()
    for pod, container in crashing[:2]:
        notes.add_container(pod, container, _how_it_ended(container))
        notes.add_log(pod, container, "\n".join(failing_log(container).splitlines()[-LOG_LINES:]))
    notes.add(f"{snapshot.workload.ref} revision {current.number}", in_words(changes), current.created_at)
    proof = why_good(snapshot, good)
    still_serving = any(pod.ready for pod in older_pods(snapshot))
    return [
        FAILURE.finding(
            resource=snapshot.workload.ref,
            summary=f"Revision {current.number} of {snapshot.workload.ref} crashes right after start; {proof}",
            confidence=0.85 if still_serving else 0.7,
            evidence=notes.evidence,
            hints=(
                Hint(
                    remedy=Remedy.ROLL_BACK,
                    object=snapshot.workload.ref,
                    revision=good.number,
                    template_digest=good.template_digest,
                    reason=f"{proof}; revision {current.number} changed {in_words(changes)}",
                ),
            ),
        )
    ]


def _crashes(snapshot: Snapshot, pod: Pod, container: Container) -> bool:
    return is_failing(container, snapshot.taken_at) and not killed_by_probe(snapshot, pod, container)


def _how_it_ended(container: Container) -> str:
    run = failed_run(container)
    if run is None:
        return ""
    lasted = f" after {(run.finished_at - run.started_at).total_seconds():.0f} s" if run.finished_at and run.started_at else ""
    return f"exited with {run.exit_code} ({run.reason or 'no reason'}){lasted}, {container.restarts} restarts"


FAILURE: Final = FailureClass(
    name="crash_after_rollout",
    rank=4,
    detect=detect,
    seen_in="pods",
    not_found="no container of the newest revision ends while an earlier revision is known to have run",
    restart_is_useless="new pods of the same revision would crash again",
    scaling_is_useless="more replicas of the same broken revision",
)
