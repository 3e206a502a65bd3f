"""Pretended nodes: kwok says that they are ready and that the pods on them run, until it falls silent."""

from typing import Any, Final

from lab.cluster import daemons_of
from lab.companions import start_kwok
from lab.pki import Pki
from lab.places import places
from opsmend.embedded.processes import free_port
from tests.drills.kubernetes import Kubernetes
from tests.integration.outside.waiting import eventually

Json = dict[str, Any]

_KEPT_BY: Final = "kwok.x-k8s.io/node"
TOLERATION: Final = {"key": _KEPT_BY, "operator": "Exists"}
"""What a pod needs to be placed on a pretended node."""


async def add_nodes(admin: Kubernetes, pool: str, *names: str) -> None:
    """Nodes labelled `pool=<pool>`, on which only pods with TOLERATION are placed. Returns once they are ready.

    The pool is called as the drill. It has a kwok of its own, so that it can fall silent without the others.
    """
    where = places()
    start_kwok(daemons_of(where), Pki(where.state / "pki"), str(where.cache / "bin"), pool, port=free_port())
    taint = {"key": _KEPT_BY, "value": pool, "effect": "NoSchedule"}
    for name in names:
        metadata = {"name": name, "labels": {"pool": pool}, "annotations": {_KEPT_BY: pool}}
        await admin.create(
            "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {"taints": [taint]}}
        )

        await until_ready(admin, name)


async def until_ready(admin: Kubernetes, name: str, *, ready: bool = True, seconds: float = 90) -> None:
    """Until the cluster takes the node for ready, or for lost."""

    async def look() -> bool | None:
        conditions = (await admin.get(f"/api/v1/nodes/{name}"))["status"].get("conditions", [])
        found = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
        return True if found is ready else None

    await eventually(look, f"node {name} {'ready' if ready else 'lost'}", seconds)


def silence(pool: str) -> None:
    """The kubelets of all its nodes are gone; the node controller finds out by their leases."""
    daemons_of(places()).kill(f"kwok-{pool}")


async def remove_nodes(admin: Kubernetes, pool: str, *names: str) -> None:
    daemons_of(places()).stop(f"kwok-{pool}")
    for name in names:
        await admin.delete(f"/api/v1/nodes/{name}")
