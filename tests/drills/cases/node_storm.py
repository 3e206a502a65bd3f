"""A node falls silent and a thousand alerts name it: before its own alert, after it, and one that names no node at all."""

from typing import Final

from tests.drills.drill import Drill
from tests.drills.manifests import container, deployment
from tests.drills.nodes import TOLERATION, add_nodes, remove_nodes, silence, until_ready
from tests.drills.opsmend import CLUSTER
from tests.drills.scene import Scene

NAME: Final = "node-storm"
NODE: Final = "stormy-1"
INCIDENT: Final = f"incident:{CLUSTER}::node:{NODE}"


def storm(alert: str, numbers: range) -> list[dict[str, str]]:
    place = {"alertname": alert, "namespace": NAME, "node": NODE}
    return [place | {"deployment": f"app-{number}", "pod": f"app-{number}-7d4b9c6f5-x2x{number}"} for number in numbers]


BEFORE: Final = storm("HighErrorRate", range(400))
AFTER: Final = storm("RequestsTimeOut", range(400, 1_000))


async def prepare(scene: Scene) -> None:
    await add_nodes(scene.admin, scene.namespace, NODE)


async def lose(scene: Scene) -> None:
    """Monitoring sees failing requests at once; Kubernetes takes a while to miss the node."""
    silence(scene.namespace)
    await until_ready(scene.admin, NODE, ready=False)
    await scene.alertmanager.fire(*BEFORE)


async def more(scene: Scene) -> None:
    await scene.alertmanager.fire(*AFTER)


async def tidy(scene: Scene) -> None:
    await scene.alertmanager.resolve(*BEFORE, *AFTER)
    await remove_nodes(scene.admin, scene.namespace, NODE)


async def few_incidents(scene: Scene) -> bool:
    """All thousand are with the node; the workload whose alert names no node found out by itself and waits."""
    node = await scene.opsmend.incident(INCIDENT)
    opened = [row["id"] for row in await scene.opsmend.incidents() if f":{scene.namespace}:" in row["id"]]
    waiting = await scene.opsmend.incident(scene.incident_id("deployment:batch"))
    waits = waiting is not None and any(e["event"] == "node.waiting" for e in waiting["timeline"])
    return bool(node and node["alerts_received"] >= len(BEFORE) + len(AFTER)) and waits and len(opened) == 1


DRILL = Drill(
    name=NAME,
    objects=(deployment("batch", container(), nodeSelector={"pool": NAME}, tolerations=[TOLERATION]),),
    prepared=prepare,
    fault=lose,
    tidied=tidy,
    alert="KubeNodeNotReady",
    labels={"node": NODE},
    incident=INCIDENT,
    category="node_not_ready",
    cause=f"Node/{NODE}",
    actions=(),
    outcome="escalated",
    waiting=("incident.closed", more),
    healed=few_incidents,
    alert_goes=False,
    needs_lab=True,
)
