"""A node falls silent. Its pods move by themselves; the machine is a person's."""

from tests.drills.drill import Drill, always
from tests.drills.nodes import add_nodes, remove_nodes, silence
from tests.drills.scene import Scene

NODE = "silent-1"


async def prepare(scene: Scene) -> None:
    await add_nodes(scene.admin, scene.namespace, NODE)


async def lose(scene: Scene) -> None:
    silence(scene.namespace)


async def tidy(scene: Scene) -> None:
    await remove_nodes(scene.admin, scene.namespace, NODE)


DRILL = Drill(
    name="node-not-ready",
    objects=(),
    prepared=prepare,
    fault=lose,
    tidied=tidy,
    alert="KubeNodeNotReady",
    labels={"node": NODE},
    incident=f"incident:lab::node:{NODE}",
    category="node_not_ready",
    cause=f"Node/{NODE}",
    actions=(),
    outcome="escalated",
    healed=always,
    alert_goes=False,
    needs_lab=True,
)
