"""Somebody edits a Service: it sends to a port that no container has."""

from tests.drills.drill import Drill
from tests.drills.manifests import container, deployment, service
from tests.drills.scene import Scene


async def edit(scene: Scene) -> None:
    await scene.patch("Service", "api", {"spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8088}]}})


DRILL = Drill(
    name="service-target-port",
    objects=(deployment("api", container()), service("api", probed=True, target_port=8080)),
    fault=edit,
    alert="ProbeFailed",
    target="service:api",
    category="service_mismatch",
    cause="Service/api",
    actions=("patch_service",),
    changes=frozenset({"services/api"}),
)
