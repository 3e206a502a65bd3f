"""A Job has failed for good."""

from typing import Final

from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.failures import containers, failed_run, failing_log
from opsmend.agents.sre.reading.notes import Notes
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.job import JobRun
from opsmend.domain.snapshot import Snapshot

LOG_LINES: Final = 5

_ADVICE: Final = {
    "DeadlineExceeded": "it did not end within its activeDeadlineSeconds: find out what it waited for, or give it more time",
    "PodFailurePolicy": "its podFailurePolicy says that this exit is not to be tried again: mend what the exit code stands for",
}
"""By the reasons of https://kubernetes.io/docs/concepts/workloads/controllers/job/."""
_TRIED: Final = "it was tried as often as it allows: mend what its log tells"


def detect(snapshot: Snapshot) -> list[Finding]:
    """Abstains while it is still tried, and once a later run of its CronJob has succeeded. What broke its pods goes first."""
    job = snapshot.job
    if job is None or not job.given_up:
        return []
    notes = Notes()
    counts = f"{job.succeeded} pods succeeded, {job.failed} failed, {job.backoff_limit} retries are allowed"
    notes.add(str(job.ref), f"Failed: {job.failed_reason}: {job.failed_message}", job.failed_at)
    notes.add(str(job.ref), counts)
    ends: list[str] = []
    for pod, container in containers(snapshot.pods):
        run = failed_run(container)
        if run is not None and len(ends) < 3:
            ends.append(f"container {container.name} exited with {run.exit_code} ({run.reason or 'no reason'})")
            notes.add_container(pod, container, ends[-1], run.finished_at)
            notes.add_log(pod, container, "\n".join(failing_log(container).splitlines()[-LOG_LINES:]))
    last = f"; {ends[0]}" if ends else ""
    return [
        FAILURE.finding(
            resource=job.ref,
            summary=f"{job.ref} failed ({job.failed_reason}){last}",
            confidence=0.8,
            evidence=notes.evidence,
            hints=(Hint(remedy=Remedy.NONE, object=job.ref, reason=_what_to_do(job)),),
        )
    ]


def _what_to_do(job: JobRun) -> str:
    advice = _ADVICE.get(job.failed_reason, _TRIED)
    namespace = f"-n {job.ref.namespace}"
    again = (
        f"then `kubectl create job {namespace} --from=cronjob/{job.cron_job.name} <a new name>`, or wait for its next run"
        if job.cron_job
        else "then delete it and apply its manifest again"
    )
    return f"Jobs are not rerun by opsmend, which cannot know that a second run is harmless: {advice}; {again}"


FAILURE: Final = FailureClass(
    name="job_failed",
    rank=6,
    detect=detect,
    advises_besides=True,
)
