"""A release of a StatefulSet names an image that is not there."""

from tests.drills.drill import Drill
from tests.drills.manifests import container, service, stateful_set
from tests.drills.scene import Scene


async def ship(scene: Scene) -> None:
    await scene.release("queue", {"image": "registry.lab/app:1.1"}, kind="StatefulSet")


DRILL = Drill(
    name="stateful-set-image",
    # As in wrong_probe_port.
    objects=(service("queue"), stateful_set("queue", container(env={"QUEUE_PASSWORD": "kept-in-the-template"}))),
    fault=ship,
    alert="KubeContainerWaiting",
    target="statefulset:queue",
    category="bad_image",
    cause="StatefulSet/queue",
    actions=("rollback_workload",),
    changes=frozenset({"statefulsets/queue"}),
)
