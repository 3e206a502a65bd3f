"""The alerting workload only suffers: what it calls was scaled to zero. It must not be touched itself."""

from tests.drills.drill import Drill
from tests.drills.manifests import container, deployment, service
from tests.drills.scene import Scene

SCRAPED = {"prometheus.io/scrape": "true"}


async def scale_down(scene: Scene) -> None:
    await scene.patch("Deployment", "orders", {"spec": {"replicas": 0}}, manager="kubectl-scale")


DRILL = Drill(
    name="dependency-down",
    objects=(
        deployment("orders", container()),
        service("orders"),
        deployment("front", container(env={"DEPENDENCY_URL": "http://orders/"}), annotations=SCRAPED),
        service("front", probed=True),
    ),
    fault=scale_down,
    alert="HighErrorRate",
    target="deployment:front",
    or_target="service:front",
    category="scaled_to_zero",
    cause="Deployment/orders",
    actions=("scale_workload",),
    changes=frozenset({"deployments/orders"}),
)
