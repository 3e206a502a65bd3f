"""Somebody edits the selector of a Service: it finds no pods any more."""

from tests.drills.drill import Drill
from tests.drills.manifests import container, deployment, service
from tests.drills.scene import Scene


async def edit(scene: Scene) -> None:
    await scene.patch("Service", "shop", {"spec": {"selector": {"app": "shopp"}}})


DRILL = Drill(
    name="service-selector",
    objects=(deployment("shop", container()), service("shop", probed=True)),
    fault=edit,
    alert="ProbeFailed",
    target="service:shop",
    category="service_mismatch",
    cause="Service/shop",
    actions=("patch_service",),
    changes=frozenset({"services/shop"}),
)
