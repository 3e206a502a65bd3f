"""A nightly Job fails: opsmend says why, and leaves it to a person whether it may run again."""

from typing import Any, Final

from tests.drills.drill import Drill, always
from tests.drills.manifests import container
from tests.drills.scene import Scene

REPORT: Final[dict[str, Any]] = {
    "apiVersion": "batch/v1",
    "kind": "CronJob",
    "metadata": {"name": "report"},
    "spec": {
        "schedule": "0 3 1 1 *",
        "jobTemplate": {
            "spec": {
                "backoffLimit": 0,
                "template": {
                    "metadata": {"labels": {"app": "report"}},
                    "spec": {
                        "restartPolicy": "Never",
                        "automountServiceAccountToken": False,
                        "containers": [
                            container(
                                env={"FAIL_WITH": "cannot write report: no space left on device", "EXIT_CODE": "2"},
                                readinessProbe=None,
                            )
                        ],
                    },
                },
            }
        },
    },
}


async def run(scene: Scene) -> None:
    """As `kubectl create job --from=cronjob/report` does it."""
    cron_job = await scene.get("CronJob", "report")
    owner = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": "report",
        "uid": cron_job["metadata"]["uid"],
        "controller": True,
    }
    metadata = {"name": "report-by-hand", "ownerReferences": [owner]}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": cron_job["spec"]["jobTemplate"]["spec"]}
    await scene.create(job)


DRILL = Drill(
    name="job-failed",
    objects=(REPORT,),
    fault=run,
    alert="KubeJobFailed",
    target="job:report-by-hand",
    category="job_failed",
    cause="Job/report-by-hand",
    actions=(),
    outcome="escalated",
    healed=always,
    alert_goes=False,
)
