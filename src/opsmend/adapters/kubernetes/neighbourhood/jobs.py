"""How a Job went, and which of its pods still tell something."""

from opsmend.adapters.kubernetes.neighbourhood.fields import moment, ref_of, text
from opsmend.domain.job import JobRun
from opsmend.domain.record import JsonObject
from opsmend.domain.target import Kind, ObjectRef


def job_run(job: JsonObject, cron_job: tuple[ObjectRef, JsonObject] | None) -> JobRun:
    """`cron_job` is the one that made it, where there is one."""
    status, spec = job.get("status") or {}, job["spec"]
    conditions = {c["type"]: c for c in status.get("conditions") or () if c.get("status") == "True"}
    # FailureTarget comes before Failed, while pods are still being stopped.
    failed = conditions.get("Failed") or conditions.get("FailureTarget") or {}
    failed_at = moment(failed.get("lastTransitionTime"))
    latest = moment((cron_job[1].get("status") or {}).get("lastSuccessfulTime")) if cron_job else None
    return JobRun(
        ref=ref_of(Kind.JOB, job),
        cron_job=cron_job[0] if cron_job else None,
        active=status.get("active") or 0,
        succeeded=status.get("succeeded") or 0,
        failed=status.get("failed") or 0,
        backoff_limit=spec.get("backoffLimit", 6),
        complete="Complete" in conditions or "SuccessCriteriaMet" in conditions,
        failed_reason=(failed.get("reason") or "unknown")[:128] if failed else "",
        failed_message=text(failed.get("message")),
        failed_at=failed_at,
        succeeded_later_at=latest if latest and failed_at and latest > failed_at else None,
    )


def newest_run(jobs: list[JsonObject], cron_job: tuple[ObjectRef, JsonObject]) -> JobRun | None:
    """Of `jobs` (newest first) the newest that has ended, else the newest; None where there is none."""
    runs = [job_run(job, cron_job) for job in jobs]
    return next((run for run in runs if run.complete or run.failed_reason), runs[0] if runs else None)


def telling_pods(run: JobRun | None, pods: list[JsonObject]) -> list[JsonObject]:
    """Without the pods of tries that the Job, or a later run of its CronJob, has made up for: they broke nothing."""
    if run is None or not run.well:
        return pods
    return [pod for pod in pods if (pod.get("status") or {}).get("phase") != "Failed"]
