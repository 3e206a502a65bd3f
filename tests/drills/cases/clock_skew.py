"""The first to alert is a machine whose clock is three hours behind: by its word the trouble began long before the release."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.drills.cases.bad_rollout import DRILL as BAD_ROLLOUT
from tests.drills.scene import Scene
from tests.integration.outside.waiting import eventually

BEHIND: Final = timedelta(hours=3)
ALERT: Final = {"alertname": "KubePodCrashLooping", "namespace": "clock-skew", "deployment": "web", "monitor": "edge"}


async def ship(scene: Scene) -> None:
    await scene.release("web", {"env": [{"name": "FAIL_WITH", "value": "no route to the licence server"}]})

    async def crashed() -> bool | None:
        statuses = [s for pod in await scene.pods("web") for s in pod["status"].get("containerStatuses", [])]
        return any(status["restartCount"] for status in statuses) or None

    await eventually(crashed, "a pod that crashed", 60)
    await scene.alertmanager.fire(ALERT, since=datetime.now(UTC) - BEHIND)


async def tidy(scene: Scene) -> None:
    await scene.alertmanager.resolve(ALERT)


DRILL = replace(
    BAD_ROLLOUT,
    name="clock-skew",
    fault=ship,
    tidied=tidy,
    explained=("its clock looks off",),
)
