"""Somebody edits a ConfigMap in place. Its pods run on with what they have read, until one of them is replaced.

Kubernetes keeps no old version of it: only opsmend's own record of what ran well can tell what to go back to.
"""

from tests.drills.drill import Drill
from tests.drills.manifests import NGINX_CONF, config_map, deployment, nginx, service
from tests.drills.scene import Scene

CONTAINER, POD = nginx("web-conf")


async def edit(scene: Scene) -> None:
    await scene.until_kept("web-conf")
    broken = NGINX_CONF.replace("access_log off;", "access_log off\n  gzip on;")
    await scene.patch("ConfigMap", "web-conf", {"data": {"nginx.conf": broken}})
    await scene.until_well(30)
    await scene.delete_pod("web")


async def as_it_was(scene: Scene) -> bool:
    data = (await scene.get("ConfigMap", "web-conf"))["data"]
    return data == {"nginx.conf": NGINX_CONF} and await scene.well()


DRILL = Drill(
    name="config-edited-in-place",
    objects=(config_map("web-conf", **{"nginx.conf": NGINX_CONF}), deployment("web", CONTAINER, **POD), service("web")),
    fault=edit,
    alert="KubePodCrashLooping",
    target="deployment:web",
    category="broken_configuration",
    cause="ConfigMap/web-conf",
    actions=("patch_config", "restart_workload"),
    changes=frozenset({"configmaps/web-conf", "deployments/web"}),
    healed=as_it_was,
    explained=("last known good",),
    watched=True,
)
