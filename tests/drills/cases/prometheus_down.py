"""Prometheus is gone when the fix is to be verified: not proven is not fixed, so the fix is taken back."""

import asyncio
from dataclasses import replace

from lab.cluster import daemons_of
from lab.monitoring import start_prometheus
from lab.pki import Pki
from lab.places import places
from tests.drills.cases.bad_rollout import DRILL as BAD_ROLLOUT
from tests.drills.scene import Scene


async def kill(scene: Scene) -> None:
    await asyncio.to_thread(daemons_of(places()).kill, "prometheus")


async def tidy(scene: Scene) -> None:
    where = places()
    await asyncio.to_thread(start_prometheus, where, daemons_of(where), Pki(where.state / "pki"), str(where.cache / "bin"))
    # A Prometheus that died never says that its alerts resolved; Alertmanager would tell the next run of the drills of them.
    await scene.alertmanager.resolve(*await scene.alertmanager.firing(scene.namespace))


async def taken_back(scene: Scene) -> bool:
    """The release stands again, as broken as it was."""
    web = await scene.get("Deployment", "web")
    return any(variable["name"] == "FAIL_WITH" for variable in web["spec"]["template"]["spec"]["containers"][0]["env"])


DRILL = replace(
    BAD_ROLLOUT,
    name="prometheus-down",
    approved=kill,
    tidied=tidy,
    outcome="rolled_back",
    healed=taken_back,
    alert_goes=False,
    alone=True,
    needs_lab=True,
)
