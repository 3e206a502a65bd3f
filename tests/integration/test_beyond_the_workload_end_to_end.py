"""Causes beside the alerting workload, through all that runs in production: alert, plan, approval, change, well again."""

from typing import Final

import pytest
from tests.integration.outside.cluster import Cluster, deployment_path
from tests.integration.outside.mending import mend
from tests.integration.outside.opsmend import Opsmend
from tests.integration.outside.waiting import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

SCALERS: Final = "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers"


async def test_a_dependency_is_mended_and_the_alerting_workload_left_alone(opsmend: Opsmend, cluster: Cluster) -> None:
    await cluster.deploy("calls", name="orders")
    probe = {"effect": "probe_fails", "message": "curl: (7) Failed to connect to orders port 80: Connection refused"}
    needs = {"namespace": "^calls$", "labels": {"app": "web"}, "service_down": "orders"}
    await cluster.add_rule({"name": "calls orders", "when": needs, "then": probe})
    await cluster.deploy("calls", env=[{"name": "ORDERS", "value": "http://orders"}])
    await cluster.patch("/api/v1/namespaces/calls/services/orders", {"spec": {"selector": {"app": "odrers"}}})

    async def unready() -> bool | None:
        return None if (await cluster.deployment("calls"))["status"].get("readyReplicas") else True

    await eventually(unready, "web unready")
    asking, changed = await mend(opsmend, cluster, "calls")
    assert asking["diagnosis"]["category"] == "service_mismatch"
    assert asking["diagnosis"]["summary"].startswith("Deployment calls/web fails because")
    assert asking["diagnosis"]["resource"] == {"kind": "Service", "namespace": "calls", "name": "orders"}
    assert changed == {"services/calls/orders"}
    assert await cluster.mutations("calls") == [("patch", "services/orders")]
    await cluster.until_ready("calls")


async def test_an_autoscaler_at_its_maximum_is_let_go_on(opsmend: Opsmend, cluster: Cluster) -> None:
    busy = {"name": "busy", "when": {"namespace": "^scaled$"}, "then": {"effect": "uses_cpu", "cores": "600m"}}
    await cluster.add_rule(busy)
    await cluster.deploy("scaled", resources={"requests": {"cpu": "100m"}})
    target = {"type": "Utilization", "averageUtilization": 80}
    metrics = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": reference, "minReplicas": 2, "maxReplicas": 5, "metrics": metrics}
    path = SCALERS.format("scaled")
    await cluster.create(path, {"metadata": {"name": "web"}, "spec": spec})

    async def settled() -> bool | None:
        status = (await cluster.get(f"{path}/web"))["status"]
        current = (status.get("currentMetrics") or [{}])[0].get("resource", {}).get("current", {})
        return True if status["currentReplicas"] == 5 and current.get("averageUtilization") == 121 else None

    await eventually(settled, "the autoscaler at its maximum")
    asking, changed = await mend(opsmend, cluster, "scaled", horizontalpodautoscaler="web")
    assert [step["type"] for step in asking["plan"]["actions"]] == ["patch_autoscaler"]
    assert "+  maxReplicas: 8" in asking["plan"]["actions"][0]["diff"]
    # What the autoscaler does with it is its own.
    assert changed == {"horizontalpodautoscalers/scaled/web", "deployments/scaled/web"}
    assert await cluster.mutations("scaled") == [("patch", "horizontalpodautoscalers/web")]
    assert (await cluster.deployment("scaled"))["status"]["readyReplicas"] == 8


async def test_a_neighbour_that_took_the_quota_gives_it_back(opsmend: Opsmend, cluster: Cluster) -> None:
    await cluster.deploy("shared")
    await cluster.deploy("shared", name="batch")
    quota = {"metadata": {"name": "team"}, "spec": {"hard": {"pods": "8"}}}
    await cluster.create("/api/v1/namespaces/shared/resourcequotas", quota)
    await cluster.patch(deployment_path("shared", "batch"), {"spec": {"replicas": 6}})
    await cluster.until_ready("shared", "batch")
    await cluster.patch(deployment_path("shared"), {"spec": {"replicas": 4}})

    async def refused() -> bool | None:
        events = await cluster.get("/api/v1/namespaces/shared/events")
        return True if any("exceeded quota" in event["message"] for event in events["items"]) else None

    await eventually(refused, "a pod refused")
    asking, changed = await mend(opsmend, cluster, "shared")
    assert asking["diagnosis"]["resource"] == {"kind": "Deployment", "namespace": "shared", "name": "batch"}
    assert asking["plan"]["actions"][0]["summary"] == "Scale Deployment shared/batch to 2 replicas"
    assert changed == {"deployments/shared/batch"}
    await cluster.until_ready("shared")
