"""The API server dies right after the approval and comes back seconds later."""

import asyncio
from dataclasses import replace

from lab.cluster import daemons_of
from lab.control_plane import start_api_server
from lab.pki import Pki
from lab.places import places
from tests.drills.cases.bad_rollout import DRILL as BAD_ROLLOUT
from tests.drills.scene import Scene


def restart() -> None:
    where = places()
    daemons_of(where).kill("kube-apiserver")
    start_api_server(where, daemons_of(where), Pki(where.state / "pki"), str(where.cache / "bin"))


async def kill_and_start(scene: Scene) -> None:
    await asyncio.to_thread(restart)


DRILL = replace(
    BAD_ROLLOUT,
    name="api-server-restarted",
    approved=kill_and_start,
    kills_api_server=True,
    alone=True,
    needs_lab=True,
)
