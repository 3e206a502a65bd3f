"""A release loses the toleration that lets it onto the nodes that are kept for it."""

from tests.drills.drill import Drill
from tests.drills.manifests import container, deployment, service
from tests.drills.nodes import TOLERATION, add_nodes, remove_nodes
from tests.drills.scene import Scene

NODE = "kept-1"


async def prepare(scene: Scene) -> None:
    await add_nodes(scene.admin, scene.namespace, NODE)


async def ship(scene: Scene) -> None:
    await scene.release("batch", {}, tolerations=None)


async def tidy(scene: Scene) -> None:
    await remove_nodes(scene.admin, scene.namespace, NODE)


DRILL = Drill(
    name="unschedulable-taint",
    objects=(
        deployment("batch", container(), nodeSelector={"pool": "unschedulable-taint"}, tolerations=[TOLERATION]),
        service("batch"),
    ),
    prepared=prepare,
    fault=ship,
    tidied=tidy,
    alert="KubePodPending",
    target="deployment:batch",
    category="unschedulable",
    cause="Deployment/batch",
    actions=("rollback_workload",),
    changes=frozenset({"deployments/batch"}),
    needs_lab=True,
)
