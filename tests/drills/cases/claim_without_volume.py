"""A claim wants a volume that people make by hand, and nobody has made one that fits."""

from typing import Any, Final

from tests.drills.drill import Drill, always
from tests.drills.manifests import container, deployment
from tests.drills.scene import Scene

CLAIM: Final[dict[str, Any]] = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "ledger"},
    # An empty class asks for no provisioner.
    "spec": {"storageClassName": "", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}},
}


async def ship(scene: Scene) -> None:
    await scene.create(CLAIM)
    mounted = container(volumeMounts=[{"name": "ledger", "mountPath": "/ledger"}])
    volumes = [{"name": "ledger", "persistentVolumeClaim": {"claimName": "ledger"}}]
    await scene.create(deployment("books", mounted, replicas=1, volumes=volumes))


DRILL = Drill(
    name="claim-without-volume",
    objects=(),
    fault=ship,
    alert="KubePersistentVolumeClaimPending",
    target="persistentvolumeclaim:ledger",
    category="volume_pending",
    cause="PersistentVolumeClaim/ledger",
    actions=(),
    outcome="escalated",
    healed=always,
    alert_goes=False,
)
