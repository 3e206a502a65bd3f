"""The way back is worse: the revision before needs a Secret that somebody has tidied away meanwhile.

The release asks for so much CPU that only one of its two pods is placed. Returning to the revision before ends that one as
well and starts none. opsmend must see it get worse, take its fix back and call a person.
"""

from tests.drills.drill import Drill
from tests.drills.manifests import collection, container, deployment, secret, service
from tests.drills.scene import Scene

RATES = {"name": "RATES", "valueFrom": {"secretKeyRef": {"name": "rates", "key": "rates"}}}
WEB = deployment("web", container() | {"env": [RATES]})
WEB["spec"]["strategy"] = {"type": "Recreate"}


async def ship(scene: Scene) -> None:
    await scene.release("web", {"env": [{"name": "RATES", "$patch": "delete"}], "resources": {"requests": {"cpu": "1100m"}}})
    await scene.admin.delete(f"{collection('Secret', scene.namespace)}/rates")


async def as_the_release_left_it(scene: Scene) -> bool:
    """One pod of the release serves again."""
    web = await scene.get("Deployment", "web")
    cpu = web["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"]
    return bool(cpu == "1100m" and web["status"].get("availableReplicas") == 1)


DRILL = Drill(
    name="bad-fix",
    objects=(secret("rates", rates="1.07"), WEB, service("web")),
    fault=ship,
    alert="KubePodPending",
    target="deployment:web",
    category="unschedulable",
    cause="Deployment/web",
    actions=("rollback_workload",),
    changes=frozenset({"deployments/web"}),
    outcome="rolled_back",
    healed=as_the_release_left_it,
    alert_goes=False,
    alone=True,
)
