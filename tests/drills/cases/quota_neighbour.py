"""A neighbour took the namespace's quota: somebody scaled it up, and now another workload cannot grow."""

from tests.drills.drill import Drill
from tests.drills.manifests import container, deployment, service
from tests.drills.scene import Scene

QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "team"},
    "spec": {"hard": {"requests.memory": "144Mi"}},
}


async def grow(scene: Scene) -> None:
    await scene.patch("Deployment", "batch", {"spec": {"replicas": 4}}, manager="kubectl-scale")
    await scene.until_pods("batch", 4)
    await scene.patch("Deployment", "web", {"spec": {"replicas": 3}}, manager="kubectl-scale")


async def both_well(scene: Scene) -> bool:
    return await scene.well() and (await scene.get("Deployment", "batch"))["spec"]["replicas"] == 1


DRILL = Drill(
    name="quota-neighbour",
    objects=(deployment("web", container()), service("web"), deployment("batch", container(), replicas=1), QUOTA),
    fault=grow,
    alert="KubeDeploymentReplicasMismatch",
    target="deployment:web",
    category="quota_exceeded",
    cause="Deployment/batch",
    actions=("scale_workload",),
    changes=frozenset({"deployments/batch"}),
    healed=both_well,
)
