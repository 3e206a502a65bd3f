"""A release that ends right after its start, while the revision before still serves."""

from tests.drills.drill import Drill
from tests.drills.manifests import container, deployment, service
from tests.drills.scene import Scene


async def ship(scene: Scene) -> None:
    await scene.release("web", {"env": [{"name": "FAIL_WITH", "value": "schema version 8 expected, found 7"}]})


DRILL = Drill(
    name="bad-rollout",
    objects=(deployment("web", container()), service("web")),
    fault=ship,
    alert="KubePodCrashLooping",
    target="deployment:web",
    category="crash_after_rollout",
    cause="Deployment/web",
    actions=("rollback_workload",),
    changes=frozenset({"deployments/web"}),
)
