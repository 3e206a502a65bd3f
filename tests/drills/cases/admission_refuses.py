"""An admission webhook of the company refuses every change of the workload: a person has to lift the freeze."""

from dataclasses import replace
from typing import Final

from tests.drills.admission import refusing
from tests.drills.cases.bad_rollout import DRILL as BAD_ROLLOUT
from tests.drills.drill import always
from tests.drills.scene import Scene

FREEZE: Final = "change freeze until Monday"


async def freeze(scene: Scene) -> None:
    await scene.stack.enter_async_context(refusing(scene.admin, scene.namespace, FREEZE))


DRILL = replace(
    BAD_ROLLOUT,
    name="admission-refuses",
    asked=freeze,
    changes=frozenset({"validatingwebhookconfigurations//admission-refuses"}),
    outcome="escalated",
    healed=always,
    alert_goes=False,
    explained=(FREEZE,),
)
