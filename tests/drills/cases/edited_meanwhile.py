"""While the question stands, somebody edits the same object: the plan is stale, and their edit must survive the next one."""

from dataclasses import replace

from tests.drills.cases.bad_rollout import DRILL as BAD_ROLLOUT
from tests.drills.scene import Scene


async def scale(scene: Scene) -> None:
    await scene.patch("Deployment", "web", {"spec": {"replicas": 3}}, manager="kubectl-scale")


async def well_with_three(scene: Scene) -> bool:
    return await scene.well() and (await scene.get("Deployment", "web"))["spec"]["replicas"] == 3


DRILL = replace(
    BAD_ROLLOUT,
    name="edited-meanwhile",
    asked=scale,
    healed=well_with_three,
    timeline=("plan.stale",),
)
