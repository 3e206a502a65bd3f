"""The embedded cluster in a process of its own, and what people and pipelines do to it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import yaml
from tests.integration.outside.waiting import eventually

Json = dict[str, Any]

GOOD: Final = "registry.example/app:1.0"
BAD: Final = "registry.example/app:broken"
"""The registry has no such tag."""

_NO_SUCH_TAG: Final = {"name": "no such tag", "when": {"image": ":broken$"}, "then": {"effect": "pull_fails"}}

_DECLARED: Final = (
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/statefulsets",
    "/apis/apps/v1/daemonsets",
    "/apis/autoscaling/v2/horizontalpodautoscalers",
    "/apis/batch/v1/jobs",
    "/apis/policy/v1/poddisruptionbudgets",
    "/api/v1/configmaps",
    "/api/v1/namespaces",
    "/api/v1/nodes",
    "/api/v1/resourcequotas",
    "/api/v1/secrets",
    "/api/v1/services",
)
"""What people declare. Pods, ReplicaSets, endpoints and events follow from it."""


@dataclass(frozen=True)
class Cluster:
    """`http` speaks as an administrator."""

    kubeconfig: Path
    http: httpx.AsyncClient

    async def get(self, path: str, **query: str) -> Any:
        answer = await self.http.get(path, params=query)
        answer.raise_for_status()
        return answer.json()

    async def create(self, collection: str, manifest: Json) -> None:
        (await self.http.post(collection, json=manifest)).raise_for_status()

    async def patch(self, path: str, change: Json) -> None:
        """Somebody edits an object. Lists go by their keys, as with `kubectl patch`."""
        headers = {"Content-Type": "application/strategic-merge-patch+json"}
        (await self.http.patch(path, json=change, headers=headers)).raise_for_status()

    async def patch_container(self, namespace: str, change: Json, name: str = "web") -> None:
        template = {"spec": {"containers": [{"name": "app", **change}]}}
        await self.patch(deployment_path(namespace, name), {"spec": {"template": template}})

    async def add_rule(self, rule: Json) -> None:
        """How containers fail from now on; see opsmend_cluster.kubelet.rules."""
        await self.create("/opsmend-demo/rules", rule)

    async def deploy(
        self, namespace: str, *, name: str = "web", ready: bool = True, pod: Json | None = None, **container: Any
    ) -> None:
        """A namespace (unless it is there) with a Deployment of two and its Service; `container` and `pod` are fields of the
        template. Returns once all pods are ready, where that is to be expected."""
        made = await self.http.post("/api/v1/namespaces", json={"metadata": {"name": namespace}})
        assert made.status_code in (201, 409), f"namespace {namespace}: {made.status_code} {made.text}"
        await self.until_furnished(namespace)
        await self.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", _deployment(name, pod or {}, container))
        ports = [{"name": "http", "port": 80, "targetPort": "http"}]
        service = {"metadata": {"name": name}, "spec": {"selector": {"app": name}, "ports": ports}}
        await self.create(f"/api/v1/namespaces/{namespace}/services", service)
        if ready:
            await self.until_ready(namespace, name)

    async def until_furnished(self, namespace: str) -> None:
        """Until the controller has made its ServiceAccount: uids come in the order in which objects are made."""

        async def look() -> bool | None:
            return any((await self.get(f"/api/v1/namespaces/{namespace}/serviceaccounts"))["items"]) or None

        await eventually(look, f"{namespace} with its ServiceAccount")

    async def deployment(self, namespace: str, name: str = "web") -> Json:
        found: Json = await self.get(deployment_path(namespace, name))
        return found

    async def until_ready(self, namespace: str, name: str = "web") -> None:
        async def look() -> bool | None:
            deployment = await self.deployment(namespace, name)
            wanted, status = deployment["spec"]["replicas"], deployment["status"]
            seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
            same = wanted == status.get("updatedReplicas") == status.get("availableReplicas") == status.get("replicas")
            return True if seen and same else None

        await eventually(look, f"{namespace}/{name} ready")

    async def until_failing(self, namespace: str, name: str = "web") -> None:
        """Until a pod waits for its image or for its next start, or answers its probe badly."""

        async def look() -> bool | None:
            pods = await self.get(f"/api/v1/namespaces/{namespace}/pods", labelSelector=f"app={name}")
            events = await self.get(f"/api/v1/namespaces/{namespace}/events")
            statuses = [status for pod in pods["items"] for status in pod["status"].get("containerStatuses", [])]
            waiting = {status["state"].get("waiting", {}).get("reason") for status in statuses}
            probed = any(event["reason"] == "Unhealthy" for event in events["items"])
            return True if probed or waiting & {"ImagePullBackOff", "CrashLoopBackOff"} else None

        await eventually(look, f"{namespace}/{name} failing")

    async def break_image(self, namespace: str, name: str = "web") -> None:
        """A release with an image that the registry does not have."""
        await self.patch_container(namespace, {"image": BAD}, name)
        await self.until_failing(namespace, name)

    async def mutations(self, namespace: str) -> list[tuple[str, str]]:
        """What opsmend changed there, by the cluster's own audit: verb and object."""
        return [_named(e) for e in await self._written_by_opsmend(mutations="true") if e["namespace"] == namespace]

    async def writes(self, namespace: str) -> list[tuple[str, str]]:
        """What opsmend changed there, tried to change or rehearsed."""
        return [_named(e) for e in await self._written_by_opsmend() if e["namespace"] == namespace]

    async def _written_by_opsmend(self, **query: str) -> list[Json]:
        entries = await self.get("/opsmend-demo/audit", **query)
        return [entry for entry in entries if entry["field_manager"] == "opsmend"]

    async def declared(self) -> dict[str, Json]:
        """All that people declare in the whole cluster, as `deployments/shop/web`: everything but status and bookkeeping."""
        found = {}
        for path in _DECLARED:
            for item in (await self.get(path))["items"]:
                metadata = item["metadata"]
                key = "/".join((path.rpartition("/")[2], metadata.get("namespace", ""), metadata["name"]))
                kept = {part: value for part, value in item.items() if part not in ("metadata", "status")}
                found[key] = kept | {"labels": metadata.get("labels"), "annotations": _own_annotations(metadata)}
        return found


def deployment_path(namespace: str, name: str = "web") -> str:
    return f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"


def images_in(diff: str) -> list[tuple[str, str]]:
    """The images that a diff takes away (`-`) and puts in place (`+`)."""
    return [(line[0], line.split()[-1]) for line in diff.splitlines() if line[:1] in ("-", "+") and "image:" in line]


def _own_annotations(metadata: Json) -> Json:
    """Without the counter that the Deployment controller keeps."""
    return {k: v for k, v in (metadata.get("annotations") or {}).items() if k != "deployment.kubernetes.io/revision"}


def _named(entry: Json) -> tuple[str, str]:
    return entry["verb"], f"{entry['resource'].partition('.')[0]}/{entry['name']}"


def _deployment(name: str, pod: Json, container: Json) -> Json:
    app = {
        "name": "app",
        "image": GOOD,
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 5},
        **container,
    }
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [app], **pod}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


@asynccontextmanager
async def a_cluster(folder: Path, **settings: Any) -> AsyncIterator[Cluster]:
    """Empty but for its own namespaces and nodes. `settings`: fields of opsmend_cluster.config."""
    folder.mkdir(parents=True, exist_ok=True)
    url, kubeconfig, config = folder / "url", folder / "kubeconfig", folder / "cluster.yaml"
    config.write_text(yaml.safe_dump({"rules": [_NO_SUCH_TAG], **settings}))
    arguments = ("--config", config, "--ready-file", url, "--kubeconfig", kubeconfig)
    with (folder / "cluster.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "opsmend_cluster"), *map(str, arguments), stdout=log, stderr=log
        )
    try:

        async def answers() -> str | None:
            assert process.returncode is None, (folder / "cluster.log").read_text()
            return url.read_text().strip() if url.exists() else None

        address = await eventually(answers, "the embedded cluster answering")
        # A connection of its own for each request: one that rested for 5 s may be closed while the next request is on its way.
        alone = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=20, limits=alone) as http:
            yield Cluster(kubeconfig, http)
    finally:
        process.terminate()
        await process.wait()
