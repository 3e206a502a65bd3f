"""A quota is used up, and nobody lacks anything yet: opsmend finds nothing broken, and leaves it to a person."""

from tests.drills.drill import Drill
from tests.drills.manifests import container, deployment, service
from tests.drills.scene import Scene

QUOTA = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "team"}, "spec": {"hard": {"pods": "3"}}}


async def grow(scene: Scene) -> None:
    await scene.patch("Deployment", "web", {"spec": {"replicas": 3}}, manager="kubectl-scale")


DRILL = Drill(
    name="quota-full",
    objects=(QUOTA, deployment("web", container()), service("web")),
    fault=grow,
    alert="KubeQuotaFullyUsed",
    target="resourcequota:team",
    category="unknown",
    cause="ResourceQuota/team",
    actions=(),
    outcome="escalated",
    alert_goes=False,
)
