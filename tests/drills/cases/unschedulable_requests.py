"""A release asks for more CPU than any node has."""

from tests.drills.drill import Drill
from tests.drills.manifests import container, deployment, service
from tests.drills.scene import Scene


async def ship(scene: Scene) -> None:
    await scene.release("web", {"resources": {"requests": {"cpu": "96"}}})


DRILL = Drill(
    name="unschedulable-requests",
    objects=(deployment("web", container()), service("web")),
    fault=ship,
    alert="KubePodPending",
    target="deployment:web",
    category="unschedulable",
    cause="Deployment/web",
    actions=("rollback_workload",),
    changes=frozenset({"deployments/web"}),
)
