"""Where one drill plays: a namespace of its own on the cluster, and all that may be asked of it and done to it."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

from lab.kube import Kube
from opsmend.domain.target import Kind, ObjectRef
from tests.drills.accounts import let_mend
from tests.drills.alertmanager import Alertmanager
from tests.drills.kubernetes import STRATEGIC, Kubernetes
from tests.drills.manifests import collection, namespace
from tests.drills.opsmend import CLUSTER, Opsmend
from tests.drills.prometheus import Prometheus
from tests.integration.outside.waiting import NotInTimeError, eventually

Json = dict[str, Any]

_WORKLOADS: Final = ("Deployment", "StatefulSet", "DaemonSet")


@dataclass(frozen=True)
class Scene:
    namespace: str
    admin: Kubernetes
    kube: Kube
    prometheus: Prometheus
    alertmanager: Alertmanager
    opsmend: Opsmend
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    """Whatever has to end with the drill."""

    # --- the stage ---

    async def set(self, objects: tuple[Json, ...]) -> None:
        """A namespace in which opsmend may mend, with `objects` in it; returns once all workloads are available."""
        await self.admin.create("/api/v1/namespaces", namespace(self.namespace))
        await let_mend(self.kube, self.namespace)
        for manifest in objects:
            await self.create(manifest)
        await self.until_well(120)

    async def strike(self) -> None:
        """The namespace goes with all that is in it."""
        await self.admin.delete(f"/api/v1/namespaces/{self.namespace}")

    async def cleared(self) -> None:
        """Once nothing is left of a first try: neither its namespace nor an alert of it."""

        async def look() -> bool | None:
            listed = await self.admin.get("/api/v1/namespaces")
            there = any(found["metadata"]["name"] == self.namespace for found in listed["items"])
            return None if there or await self.alertmanager.firing(self.namespace) else True

        await eventually(look, f"nothing left of {self.namespace}", 180)

    # --- what people and pipelines do ---

    async def create(self, manifest: Json, manager: str = "kubectl-create") -> None:
        await self.admin.create(collection(manifest["kind"], self.namespace), manifest, manager)

    async def get(self, kind: str, name: str) -> Json:
        return await self.admin.get(f"{collection(kind, self.namespace)}/{name}")

    async def patch(self, kind: str, name: str, change: Json, *, manager: str = "kubectl-edit", how: str = STRATEGIC) -> None:
        await self.admin.patch(f"{collection(kind, self.namespace)}/{name}", change, manager=manager, kind=how)

    async def release(self, name: str, container: Json, *, kind: str = "Deployment", **pod: Any) -> None:
        """A new revision: fields of its container, or of the pod's spec, become others."""
        spec = {"containers": [{"name": "app", **container}], **pod}
        await self.patch(kind, name, {"spec": {"template": {"spec": spec}}}, manager="pipeline")

    async def pods(self, app: str) -> list[Json]:
        found: list[Json] = (await self.admin.get(f"/api/v1/namespaces/{self.namespace}/pods", labelSelector=f"app={app}"))[
            "items"
        ]
        return found

    async def delete_pod(self, app: str) -> None:
        """One of the workload's pods, as when a node is drained."""
        pod = (await self.pods(app))[0]["metadata"]["name"]
        await self.admin.delete(f"/api/v1/namespaces/{self.namespace}/pods/{pod}")

    # --- what is seen ---

    async def until_kept(self, config_map: str) -> None:
        """Until opsmend has the ConfigMap as it is in its record of what ran well."""
        uid = (await self.get("ConfigMap", config_map))["metadata"]["uid"]
        ref = ObjectRef(kind=Kind.CONFIG_MAP, namespace=self.namespace, name=config_map)

        async def look() -> bool | None:
            return await self.opsmend.keeps(ref, uid) or None

        await eventually(look, f"a record of {ref}")

    async def well(self) -> bool:
        """Every workload runs as many updated, available pods as it asks for."""
        found = await asyncio.gather(*(self.admin.get(collection(kind, self.namespace)) for kind in _WORKLOADS))
        return all(_is_well(item) for listed in found for item in listed["items"])

    async def until_pods(self, app: str, number: int, *, seconds: float = 60) -> None:
        async def look() -> bool | None:
            return True if len(await self.pods(app)) == number else None

        await eventually(look, f"{number} pods of {app}", seconds)

    async def until_well(self, seconds: float) -> None:
        async def look() -> bool | None:
            return True if await self.well() else None

        await eventually(look, f"all workloads of {self.namespace} available", seconds)

    def incident_id(self, target: str) -> str:
        """`target` is `deployment:web`."""
        return f"incident:{CLUSTER}:{self.namespace}:{target}"

    async def incident(self, incident_id: str, reached: Callable[[Json], bool], what: str, seconds: float) -> Json:
        """The incident once it has `reached` something."""
        last: Json = {}

        async def look() -> Json | None:
            seen = await self.opsmend.incident(incident_id)
            last.update(seen or {})
            return seen if seen and reached(seen) else None

        try:
            return await eventually(look, f"{incident_id} {what}", seconds)
        except NotInTimeError as e:
            told = "; ".join(f"{entry['event']} {entry['detail']}" for entry in last.get("timeline", [])[-8:])
            raise NotInTimeError(f"{e} ({told or 'no incident'})") from e


def _is_well(workload: Json) -> bool:
    status, spec = workload.get("status", {}), workload["spec"]
    if status.get("observedGeneration") != workload["metadata"]["generation"]:
        return False
    if "desiredNumberScheduled" in status:
        wanted = status["desiredNumberScheduled"]
        return bool(wanted == status.get("numberAvailable", 0) == status.get("updatedNumberScheduled", 0))
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    return all(count == spec["replicas"] for count in counts)
