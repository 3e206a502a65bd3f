"""A release wants nodes with a label that no node has."""

from tests.drills.drill import Drill
from tests.drills.manifests import container, deployment, service
from tests.drills.scene import Scene


async def ship(scene: Scene) -> None:
    await scene.release("web", {}, nodeSelector={"disk": "nvme"})


DRILL = Drill(
    name="unschedulable-selector",
    objects=(deployment("web", container()), service("web")),
    fault=ship,
    alert="KubePodPending",
    target="deployment:web",
    category="unschedulable",
    cause="Deployment/web",
    actions=("rollback_workload",),
    changes=frozenset({"deployments/web"}),
)
