"""A release whose init container fails, so that no new pod ever starts."""

from dataclasses import replace

from tests.drills.cases.bad_rollout import DRILL as BAD_ROLLOUT
from tests.drills.manifests import APP
from tests.drills.scene import Scene

MIGRATE = {
    "name": "migrate",
    "image": APP,
    "imagePullPolicy": "IfNotPresent",
    "env": [{"name": "FAIL_WITH", "value": "migration 0042 cannot be applied"}, {"name": "EXIT_CODE", "value": "3"}],
}


async def ship(scene: Scene) -> None:
    await scene.release("web", {}, initContainers=[MIGRATE])


DRILL = replace(
    BAD_ROLLOUT,
    name="init-container-failing",
    fault=ship,
)
