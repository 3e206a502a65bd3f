"""A claim names a class of storage that nobody has."""

from typing import Any, Final

from tests.drills.drill import Drill, always
from tests.drills.manifests import container, deployment
from tests.drills.scene import Scene

CLAIM: Final[dict[str, Any]] = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data"},
    "spec": {"storageClassName": "fastt", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


async def ship(scene: Scene) -> None:
    await scene.create(CLAIM)
    mounted = container(volumeMounts=[{"name": "data", "mountPath": "/data"}])
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    await scene.create(deployment("archive", mounted, replicas=1, volumes=volumes))


DRILL = Drill(
    name="claim-pending",
    objects=(),
    fault=ship,
    alert="KubePersistentVolumeClaimPending",
    target="persistentvolumeclaim:data",
    category="volume_pending",
    cause="PersistentVolumeClaim/data",
    actions=(),
    outcome="escalated",
    healed=always,
    alert_goes=False,
)
