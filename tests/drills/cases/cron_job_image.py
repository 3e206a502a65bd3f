"""A CronJob names an image that is not there: its next run waits for it, and a person has to mend the manifest."""

from typing import Any, Final

from tests.drills.drill import Drill, always
from tests.drills.manifests import container
from tests.drills.scene import Scene

EVERY_MINUTE: Final[dict[str, Any]] = {
    "apiVersion": "batch/v1",
    "kind": "CronJob",
    "metadata": {"name": "sync"},
    "spec": {
        "schedule": "* * * * *",
        "concurrencyPolicy": "Forbid",
        "jobTemplate": {
            "spec": {
                "template": {
                    "metadata": {"labels": {"app": "sync"}},
                    "spec": {
                        "restartPolicy": "Never",
                        "automountServiceAccountToken": False,
                        "containers": [container("registry.lab/sync:2", readinessProbe=None)],
                    },
                }
            }
        },
    },
}


async def ship(scene: Scene) -> None:
    """Until its first run is there: the controller makes it, and nothing that opsmend did."""
    await scene.create(EVERY_MINUTE)
    await scene.until_pods("sync", 1, seconds=75)


DRILL = Drill(
    name="cron-job-image",
    objects=(),
    fault=ship,
    alert="KubeContainerWaiting",
    target="cronjob:sync",
    category="bad_image",
    cause="CronJob/sync",
    actions=(),
    outcome="escalated",
    healed=always,
    alert_goes=False,
)
