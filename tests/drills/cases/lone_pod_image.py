"""Somebody starts a pod by hand, with a slip in its image. It belongs to no workload, so there is nothing to roll back."""

from typing import Any, Final

from tests.drills.drill import Drill, always
from tests.drills.manifests import container
from tests.drills.scene import Scene

MIGRATION: Final[dict[str, Any]] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "migration", "labels": {"app": "migration"}},
    "spec": {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "containers": [container("registry.lab/ap:1", readinessProbe=None)],
    },
}


async def start(scene: Scene) -> None:
    await scene.create(MIGRATION, manager="kubectl-run")


DRILL = Drill(
    name="lone-pod-image",
    objects=(),
    fault=start,
    alert="KubeContainerWaiting",
    target="pod:migration",
    category="bad_image",
    cause="Pod/migration",
    actions=(),
    outcome="escalated",
    healed=always,
    alert_goes=False,
)
