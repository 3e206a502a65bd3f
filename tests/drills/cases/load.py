"""More requests than the replicas are made for: 57 a second, 10 each. Six replicas, and the plan must say why not five."""

from tests.drills.drill import Drill
from tests.drills.manifests import container, deployment, service
from tests.drills.scene import Scene

SCRAPED = {"prometheus.io/scrape": "true"}


async def arrive(scene: Scene) -> None:
    crowd = container(env={"LOAD_URL": "http://shop/", "LOAD_RPS": "57"}, name="crowd", ports=[], readinessProbe=None)
    await scene.create(deployment("crowd", crowd, replicas=1))


async def well_with_six(scene: Scene) -> bool:
    return await scene.well() and (await scene.get("Deployment", "shop"))["spec"]["replicas"] == 6


DRILL = Drill(
    name="load",
    objects=(deployment("shop", container(), replicas=4, annotations=SCRAPED), service("shop")),
    fault=arrive,
    alert="TooManyRequestsPerReplica",
    target="deployment:shop",
    category="overloaded",
    cause="Deployment/shop",
    actions=("scale_workload",),
    changes=frozenset({"deployments/shop"}),
    healed=well_with_six,
    explained=("5 ", "6 "),
)
