"""Load, through all that runs in production and a real Prometheus: its rule fires, replicas are added, it resolves."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Final

import httpx
import pytest
import pytest_asyncio
from tests.contract.metrics.real_prometheus import Exporter, a_prometheus, is_ready, needs_prometheus
from tests.integration.outside.cluster import Cluster, deployment_path
from tests.integration.outside.mending import mend
from tests.integration.outside.opsmend import Opsmend, opsmend_up
from tests.integration.outside.waiting import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300), needs_prometheus]

RATE: Final = 57
"""Requests a second that arrive for load/web, however many replicas there are."""
RULE: Final = {
    "alert": "HighLoad",
    "expr": 'sum by (namespace, deployment) (rate(http_requests_total{deployment="web"}[10s])) '
    "/ on (namespace, deployment) kube_deployment_status_replicas_available > 10",
    "labels": {"severity": "critical"},
}


class ClusterMetrics(Exporter):
    """The replicas of load/web as the cluster has them, and a counter that grows with the clock."""

    def __init__(self, url: str) -> None:
        super().__init__(self._metrics)
        self._url = url
        self._requests = 0

    def _metrics(self) -> str:
        self._requests += RATE
        labels = 'namespace="load",deployment="web"'
        answer = httpx.get(f"{self._url}{deployment_path('load')}", trust_env=False)
        replicas = answer.json()["status"].get("availableReplicas", 0) if answer.is_success else 0
        return (
            f"http_requests_total{{{labels}}} {self._requests}\n"
            f"kube_deployment_status_replicas_available{{{labels}}} {replicas}\n"
        )


@pytest.fixture(scope="module")
def prometheus(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    exporter = ClusterMetrics(str(cluster.http.base_url).rstrip("/"))
    with ExitStack() as stack:
        stack.callback(exporter.stop)
        yield stack.enter_context(a_prometheus(tmp_path_factory.mktemp("prometheus"), exporter, RULE))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def opsmend(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, prometheus: str) -> AsyncIterator[Opsmend]:
    """An opsmend that has a Prometheus."""
    extra = {"OPSMEND_PROMETHEUS_URL": prometheus}
    async with opsmend_up(tmp_path_factory.mktemp("opsmend"), cluster.kubeconfig, extra) as running:
        yield running


async def test_load_gets_the_replicas_that_the_alerts_own_rule_asks_for(
    opsmend: Opsmend, cluster: Cluster, prometheus: str
) -> None:
    await cluster.deploy("load", resources={"requests": {"cpu": "100m"}})
    await cluster.patch(deployment_path("load"), {"spec": {"replicas": 4}})
    await cluster.until_ready("load")

    async def fires() -> bool | None:
        if not await is_ready(prometheus):
            return None
        async with httpx.AsyncClient(trust_env=False) as http:
            alerts = (await http.get(f"{prometheus}/api/v1/alerts")).json()["data"]["alerts"]
        return True if any(alert["state"] == "firing" and 14 < float(alert["value"]) < 14.7 for alert in alerts) else None

    await eventually(fires, "Prometheus firing HighLoad")
    asking, changed = await mend(opsmend, cluster, "load", name="HighLoad", deployment="web")
    assert asking["diagnosis"]["category"] == "overloaded"
    (action,) = asking["plan"]["actions"]
    assert action["summary"] == "Scale Deployment load/web to 6 replicas"
    assert "over the alert's 10" in str(asking["plan"])
    assert changed == {"deployments/load/web"}
