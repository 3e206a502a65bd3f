"""While the question stands, somebody deletes the workload: there is nothing left to change, and nothing is."""

from dataclasses import replace

from tests.drills.cases.bad_rollout import DRILL as BAD_ROLLOUT
from tests.drills.manifests import collection
from tests.drills.scene import Scene


async def delete(scene: Scene) -> None:
    await scene.admin.delete(f"{collection('Deployment', scene.namespace)}/web", propagationPolicy="Foreground")


DRILL = replace(
    BAD_ROLLOUT,
    name="deleted-meanwhile",
    asked=delete,
    answered=False,
    outcome="self_resolved",
)
