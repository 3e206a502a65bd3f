"""Somebody scales a workload to zero by hand and forgets it."""

from tests.drills.drill import Drill
from tests.drills.manifests import container, deployment, service
from tests.drills.scene import Scene


async def scale_down(scene: Scene) -> None:
    await scene.patch("Deployment", "cart", {"spec": {"replicas": 0}}, manager="kubectl-scale")


DRILL = Drill(
    name="scaled-to-zero",
    objects=(deployment("cart", container(), replicas=3), service("cart", probed=True)),
    fault=scale_down,
    alert="ProbeFailed",
    target="service:cart",
    category="scaled_to_zero",
    cause="Deployment/cart",
    actions=("scale_workload",),
    changes=frozenset({"deployments/cart"}),
    explained=("3 replicas",),
)
