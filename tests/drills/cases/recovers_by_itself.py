"""A release comes before its image: the registry gets it while opsmend asks, and the kubelet pulls it."""

import asyncio
from typing import Final
from uuid import uuid4

from lab.node import push_image
from lab.places import places
from tests.drills.drill import Drill
from tests.drills.manifests import APP, container, deployment, service
from tests.drills.scene import Scene

LATE: Final = f"registry.lab/late:{uuid4().hex[:8]}"
"""Another each time: the lab's registry and its node keep what they have once got."""


async def ship(scene: Scene) -> None:
    await scene.release("web", {"image": LATE})


async def push(scene: Scene) -> None:
    await asyncio.to_thread(push_image, places(), APP, LATE)
    await scene.until_well(120)


DRILL = Drill(
    name="recovers-by-itself",
    objects=(deployment("web", container()), service("web")),
    fault=ship,
    alert="KubeContainerWaiting",
    target="deployment:web",
    category="bad_image",
    cause="Deployment/web",
    actions=("rollback_workload",),
    asked=push,
    answered=False,
    outcome="self_resolved",
    needs_lab=True,
)
