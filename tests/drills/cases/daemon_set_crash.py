"""A release of a DaemonSet that lacks a variable which the program needs."""

from tests.drills.drill import Drill
from tests.drills.manifests import container, daemon_set
from tests.drills.scene import Scene


async def ship(scene: Scene) -> None:
    await scene.release("agent", {"env": [{"name": "REQUIRED", "value": "COLLECTOR_HOST"}]}, kind="DaemonSet")


DRILL = Drill(
    name="daemon-set-crash",
    objects=(daemon_set("agent", container()),),
    fault=ship,
    alert="KubePodCrashLooping",
    target="daemonset:agent",
    category="broken_configuration",
    cause="DaemonSet/agent",
    actions=("rollback_workload",),
    changes=frozenset({"daemonsets/agent"}),
)
