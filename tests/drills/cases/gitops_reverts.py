"""A GitOps controller keeps the workload as its repository has it, which is broken: it takes the fix back within a second."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Final

from tests.drills.cases.bad_rollout import DRILL as BAD_ROLLOUT
from tests.drills.drill import always
from tests.drills.scene import Scene

MANAGER: Final = "argocd-controller"
BROKEN: Final = {"env": [{"name": "FAIL_WITH", "value": "schema version 8 expected, found 7"}]}


async def ship(scene: Scene) -> None:
    await keep_it_so(scene)
    reconciling = asyncio.create_task(reconcile(scene))

    async def stop() -> None:
        reconciling.cancel()
        with suppress(asyncio.CancelledError):
            await reconciling

    scene.stack.push_async_callback(stop)


async def reconcile(scene: Scene) -> None:
    while True:
        await asyncio.sleep(1)
        template = (await scene.get("Deployment", "web"))["spec"]["template"]
        if template["spec"]["containers"][0].get("env") != BROKEN["env"]:
            await keep_it_so(scene)


async def keep_it_so(scene: Scene) -> None:
    change = {"spec": {"template": {"spec": {"containers": [{"name": "app", **BROKEN}]}}}}
    await scene.patch("Deployment", "web", change, manager=MANAGER)


DRILL = replace(
    BAD_ROLLOUT,
    name="gitops-reverts",
    fault=ship,
    outcome="escalated",
    healed=always,
    alert_goes=False,
    explained=(MANAGER,),
)
