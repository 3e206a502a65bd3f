"""Somebody lowers a memory limit below what the program needs."""

from tests.drills.drill import Drill
from tests.drills.manifests import container, deployment, service
from tests.drills.scene import Scene


async def lower_the_limit(scene: Scene) -> None:
    await scene.release("cache", {"resources": {"limits": {"memory": "40Mi"}}})


DRILL = Drill(
    name="out-of-memory",
    objects=(deployment("cache", container(env={"MEMORY_MB": "60"})), service("cache")),
    fault=lower_the_limit,
    alert="KubeContainerOOMKilled",
    target="deployment:cache",
    category="out_of_memory",
    cause="Deployment/cache",
    actions=("rollback_workload",),
    changes=frozenset({"deployments/cache"}),
)
