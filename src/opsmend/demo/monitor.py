"""The demo's Alertmanager: looks at a Deployment, and posts what Alertmanager would post (webhook format, version 4)."""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

NEVER: Final = "0001-01-01T00:00:00Z"
"""Alertmanager's endsAt of an alert that still fires."""

STEADY: Final = timedelta(seconds=2)
"""A container that crashes is running for a moment between two crashes; that is no recovery."""

RULES: Final = {
    "KubePodCrashLooping": "Pods of Deployment {namespace}/{name} are restarting again and again.",
    "KubeDeploymentRolloutStuck": "The rollout of Deployment {namespace}/{name} makes no progress.",
}


class Monitor:
    """Watches one Deployment through the cluster's API; its alerts fire while pods of it crash."""

    def __init__(self, cluster_url: str, webhook: str, token: str, namespace: str, name: str) -> None:
        self._cluster = httpx.AsyncClient(base_url=cluster_url, trust_env=False)
        self._webhook = httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=15)
        self._url = webhook
        self._namespace = namespace
        self._name = name
        self._began = datetime.now(UTC)

    async def fires(self) -> bool:
        """Whether a pod of the Deployment is not ready, or not all replicas are available."""
        pods = await self._get(f"/api/v1/namespaces/{self._namespace}/pods", {"labelSelector": f"app={self._name}"})
        deployment = await self._get(f"/apis/apps/v1/namespaces/{self._namespace}/deployments/{self._name}")
        unready = any(
            condition["type"] == "Ready" and condition["status"] != "True"
            for pod in pods["items"]
            for condition in pod["status"].get("conditions", [])
        )
        return unready or deployment["status"].get("availableReplicas", 0) < deployment["spec"]["replicas"]

    async def until(self, firing: bool) -> None:
        """Wait until the condition has been so for STEADY, as a rule's `for` does."""
        since = time.monotonic()
        while time.monotonic() - since < STEADY.total_seconds():
            if await self.fires() is not firing:
                since = time.monotonic()
            await asyncio.sleep(0.1)
        if firing:
            self._began = datetime.now(UTC)

    async def post(self, alertname: str, status: str) -> list[dict[str, Any]]:
        """Post one notification, again and again while opsmend answers 5xx, as Alertmanager does; returns its incidents."""
        while True:
            answer = await self._webhook.post(self._url, json=self._payload(alertname, status))
            if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                answer.raise_for_status()
                incidents: list[dict[str, Any]] = answer.json()["incidents"]
                return incidents
            await asyncio.sleep(1)

    async def resolve_when_well(self) -> None:
        """Post `resolved` for every rule once the condition is gone."""
        await self.until(firing=False)
        for alertname in RULES:
            await self.post(alertname, "resolved")

    async def close(self) -> None:
        await self._cluster.aclose()
        await self._webhook.aclose()

    async def _get(self, path: str, params: dict[str, str] | None = None) -> dict[str, Any]:
        answer = await self._cluster.get(path, params=params)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def _payload(self, alertname: str, status: str) -> dict[str, Any]:
        labels = {"alertname": alertname, "namespace": self._namespace, "deployment": self._name, "severity": "critical"}
        summary = RULES[alertname].format(namespace=self._namespace, name=self._name)
        alert = {
            "status": status,
            "labels": labels,
            "annotations": {"summary": summary},
            "startsAt": self._began.isoformat(),
            "endsAt": NEVER if status == "firing" else datetime.now(UTC).isoformat(),
            "generatorURL": "",
            "fingerprint": f"{abs(hash((alertname, self._namespace, self._name))):016x}"[:16],
        }
        return {
            "version": "4",
            "groupKey": f'{{}}:{{namespace="{self._namespace}"}}',
            "truncatedAlerts": 0,
            "status": status,
            "receiver": "opsmend",
            "groupLabels": {"namespace": self._namespace},
            "commonLabels": labels,
            "commonAnnotations": {"summary": summary},
            "externalURL": "http://alertmanager.demo",
            "alerts": [alert],
        }


async def ended(task: "asyncio.Task[Any]") -> None:
    """Cancel `task` and wait until it is over."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
