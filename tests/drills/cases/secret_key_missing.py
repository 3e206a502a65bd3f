"""A release reads a key that its Secret does not have."""

from typing import Any

from tests.drills.drill import Drill
from tests.drills.manifests import container, deployment, secret, service
from tests.drills.scene import Scene


def database_url(key: str) -> dict[str, Any]:
    return {"name": "DB_URL", "valueFrom": {"secretKeyRef": {"name": "database", "key": key}}}


async def ship(scene: Scene) -> None:
    await scene.release(
        "web", {"env": [{"name": "DB_URL", "valueFrom": {"secretKeyRef": {"name": "database", "key": "url_v2"}}}]}
    )


DRILL = Drill(
    name="secret-key-missing",
    objects=(
        secret("database", url="postgres://db/shop"),
        deployment("web", container() | {"env": [database_url("url")]}),
        service("web"),
    ),
    fault=ship,
    alert="KubeContainerWaiting",
    target="deployment:web",
    category="missing_reference",
    cause="Secret/database",
    actions=("rollback_workload",),
    changes=frozenset({"deployments/web"}),
)
