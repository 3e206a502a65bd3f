"""A release whose readiness probe asks a port on which nobody listens."""

from tests.drills.drill import Drill
from tests.drills.manifests import container, deployment, service
from tests.drills.scene import Scene


async def ship(scene: Scene) -> None:
    await scene.release("web", {"readinessProbe": {"httpGet": {"path": "/healthz", "port": 9090}, "periodSeconds": 2}})


DRILL = Drill(
    name="wrong-probe-port",
    # What is redacted in the stored revisions has to be read again by each agent, and by nobody else.
    objects=(deployment("web", container(env={"DB_PASSWORD": "kept-in-the-template"})), service("web")),
    fault=ship,
    alert="KubePodNotReady",
    target="deployment:web",
    category="failing_probe",
    cause="Deployment/web",
    actions=("rollback_workload",),
    changes=frozenset({"deployments/web"}),
)
