"""Nothing is wrong (any more)."""

from typing import Final

from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.failures import failed_run
from opsmend.agents.sre.reading.notes import Notes
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.health import assess
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.verification import Health


def detect(snapshot: Snapshot) -> list[Finding]:
    """Only when health is proven; whatever another detector found goes first."""
    if assess(snapshot).health is not Health.HEALTHY:
        return []
    notes = Notes()
    workload = snapshot.workload
    if workload:
        notes.add(
            str(workload.ref),
            f"{workload.available_replicas} of {workload.desired_replicas} replicas are available, rolled out",
        )
    recovered = False
    for pod in snapshot.pods:
        for container in pod.containers:
            run = failed_run(container)
            if run and run.finished_at:
                recovered = True
                notes.add_container(
                    pod, container, f"runs since its failure ({run.reason}, exit code {run.exit_code})", run.finished_at
                )
    notes.add(str(snapshot.target), "no fault was seen in what could be read")
    return [
        FAILURE.finding(
            resource=snapshot.target.ref,
            summary=f"{snapshot.target} {'has recovered' if recovered else 'is well'}",
            confidence=0.75 if snapshot.unseen else 0.9,
            evidence=notes.evidence,
            hints=(Hint(remedy=Remedy.NONE, object=snapshot.target.ref, reason="there is nothing to repair"),),
        )
    ]


FAILURE: Final = FailureClass(
    name="healthy",
    rank=9,
    detect=detect,
)
