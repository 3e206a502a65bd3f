"""A release with an image tag that the registry does not have."""

from tests.drills.drill import Drill
from tests.drills.manifests import container, deployment, service
from tests.drills.scene import Scene


async def ship(scene: Scene) -> None:
    await scene.release("web", {"image": "registry.lab/app:2.0.1"})


DRILL = Drill(
    name="image-missing",
    objects=(deployment("web", container()), service("web")),
    fault=ship,
    alert="KubeContainerWaiting",
    target="deployment:web",
    category="bad_image",
    cause="Deployment/web",
    actions=("rollback_workload",),
    changes=frozenset({"deployments/web"}),
)
