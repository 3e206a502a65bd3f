"""An autoscaler that may not go as far as the load asks: its maximum is two, and its pods use far more CPU than is wanted."""

from typing import Any, Final

from tests.drills.drill import Drill
from tests.drills.manifests import container, deployment, service
from tests.drills.scene import Scene

AUTOSCALER: Final[dict[str, Any]] = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "shop"},
    "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"},
        "minReplicas": 1,
        "maxReplicas": 2,
        "metrics": [
            {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}
        ],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
    },
}
SHOP = container(env={"WORK_MS": "28"}, resources={"requests": {"cpu": "100m", "memory": "24Mi"}, "limits": {"memory": "96Mi"}})


async def arrive(scene: Scene) -> None:
    """140 ms of work a second and 20 to 60 of handling it, by how busy the machine is, of twice 100: wants 3 or 4 replicas, not
    above twice the maximum."""
    crowd = container(env={"LOAD_URL": "http://shop/", "LOAD_RPS": "5"}, name="crowd", ports=[], readinessProbe=None)
    await scene.create(deployment("crowd", crowd, replicas=1))


DRILL = Drill(
    name="autoscaler-at-maximum",
    objects=(deployment("shop", SHOP, replicas=1), service("shop"), AUTOSCALER),
    fault=arrive,
    alert="KubeHpaMaxedOut",
    target="horizontalpodautoscaler:shop",
    category="autoscaler_limited",
    cause="HorizontalPodAutoscaler/shop",
    actions=("patch_autoscaler",),
    # The autoscaler then does its work.
    changes=frozenset({"horizontalpodautoscalers/shop", "deployments/shop"}),
)
