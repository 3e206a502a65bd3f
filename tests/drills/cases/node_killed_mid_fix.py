"""The node dies while the fix rolls out: kubelet and containerd are gone, its containers run on.

The fix needs a pod that only comes up once the node is back. Until then the cluster takes the node for lost and all its pods
for not ready, for more looks at the fix than it takes to call it worse.
"""

import asyncio
from dataclasses import replace
from typing import Final

from lab.cluster import daemons_of
from lab.images import build_images
from lab.node import start_containerd, start_kubelet
from lab.pki import Pki
from lab.places import NODE, places
from tests.drills.cases.bad_rollout import DRILL as BAD_ROLLOUT
from tests.drills.manifests import container, deployment, service
from tests.drills.nodes import until_ready
from tests.drills.scene import Scene

WEB: Final = deployment("web", container())
WEB["spec"]["strategy"] = {"rollingUpdate": {"maxUnavailable": 1}}  # one pod serves meanwhile, so there is something to lose

LOST_FOR: Final = 15
"""Seconds: five looks at a fix at the drills' pace, and three in a row that find it worse end it."""


def kill() -> None:
    for daemon in ("kubelet", "containerd"):
        daemons_of(places()).kill(daemon)


def start() -> None:
    where = places()
    daemons = daemons_of(where)
    start_containerd(where, daemons, build_images(where.cache, lambda _: None))
    start_kubelet(where, daemons, Pki(where.state / "pki"), str(where.cache / "bin"))


async def lose_the_node_for_a_while(scene: Scene) -> None:
    await asyncio.to_thread(kill)
    await until_ready(scene.admin, NODE, ready=False)
    await asyncio.sleep(LOST_FOR)
    await asyncio.to_thread(start)


DRILL = replace(
    BAD_ROLLOUT,
    name="node-killed-mid-fix",
    objects=(WEB, service("web")),
    approved=lose_the_node_for_a_while,
    alone=True,
    needs_lab=True,
)
