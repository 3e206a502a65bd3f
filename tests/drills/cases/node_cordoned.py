"""The only nodes that fit were cordoned and forgotten; then the pods are replaced and find no place."""

from tests.drills.drill import Drill
from tests.drills.manifests import container, deployment, service
from tests.drills.nodes import TOLERATION, add_nodes, remove_nodes
from tests.drills.scene import Scene

NODE = "cordoned-1"


async def prepare(scene: Scene) -> None:
    await add_nodes(scene.admin, scene.namespace, NODE)


async def cordon(scene: Scene) -> None:
    await scene.admin.patch(f"/api/v1/nodes/{NODE}", {"spec": {"unschedulable": True}}, manager="kubectl-cordon")
    await scene.delete_pod("batch")


async def tidy(scene: Scene) -> None:
    await remove_nodes(scene.admin, scene.namespace, NODE)


DRILL = Drill(
    name="node-cordoned",
    objects=(
        deployment("batch", container(), nodeSelector={"pool": "node-cordoned"}, tolerations=[TOLERATION]),
        service("batch"),
    ),
    prepared=prepare,
    fault=cordon,
    tidied=tidy,
    alert="KubePodPending",
    target="deployment:batch",
    category="unschedulable",
    cause="Deployment/batch",
    actions=("uncordon_node",),
    changes=frozenset({f"nodes//{NODE}"}),
    needs_lab=True,
)
