"""During an upgrade API and workers are one version apart, either way: nothing is lost, and nothing is done by half a word."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.integration.outside.cluster import Cluster, a_cluster
from tests.integration.outside.opsmend import CLUSTER
from tests.integration.outside.parts import Parts, next_version, separate_parts

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(900)]

WEB = f"incident:{CLUSTER}:shop:deployment:web"
ALL = ("workflows", "architect", "security", "deployment", "sre", "connectors")
TELLS_MORE = (
    "alert.Alert", "incident.AlertsReceived", "incident.Patience", "opened.IncidentOpened", "diagnosis.Evidence",
    "incident.TimelineEntry", "incident.IncidentState",
)  # fmt: skip
ASKS_MORE = ("approval.DecisionRequest",)
DOES_MORE = ("plan.PlannedStep",)


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with a_cluster(tmp_path / "cluster") as running:
        await running.deploy("shop")
        await running.break_image("shop")
        yield running


@pytest.fixture
async def parts(tmp_path: Path, cluster: Cluster) -> AsyncIterator[Parts]:
    async with separate_parts(tmp_path / "opsmend", cluster.kubeconfig) as running:
        yield running


@pytest.mark.safety
async def test_a_newer_api_loses_nothing_to_older_workers(parts: Parts, cluster: Cluster) -> None:
    newer = next_version(*TELLS_MORE, *ASKS_MORE)
    await parts.api(newer)
    await parts.worker(*ALL)
    assert await parts.http.alert("shop") == {"id": WEB, "created": True}
    asked = await parts.http.asking(WEB)
    assert (asked["alerts_received"], len(asked["alerts"])) == (1, 1)

    refused = await parts.http.decide(WEB, plan_hash=asked["plan"]["hash"], decision="approve")
    assert refused.status_code == 503
    assert "a newer worker is needed" in refused.text
    assert (await parts.http.asking(WEB))["approval"] is None

    await parts.worker(*ALL, version=newer)
    answer = await parts.http.decide(WEB, plan_hash=asked["plan"]["hash"], decision="approve")
    assert answer.status_code == 200, answer.text
    assert (await parts.http.closed(WEB))["outcome"] == "remediated"


async def test_newer_workers_are_understood_by_an_older_api_and_awaited_by_older_workers(
    parts: Parts, cluster: Cluster
) -> None:
    newer = next_version(*TELLS_MORE, *DOES_MORE)
    await parts.api()
    await parts.worker("sre", "architect", "security", "connectors", version=newer)
    await parts.worker("workflows")
    await parts.worker("deployment")
    assert await parts.http.alert("shop") == {"id": WEB, "created": True}
    assert "a newer worker is needed" in await parts.why_it_waits(f"{WEB}:architect:1")

    await parts.worker("workflows", version=newer)
    asked = await parts.http.approve(WEB)
    assert asked["diagnosis"]["evidence"]
    assert asked["plan"]["actions"]
    assert "a newer worker is needed" in await parts.why_an_activity_waits(f"{WEB}:deployment:1")
    assert await cluster.mutations("shop") == []

    await parts.worker("deployment", version=newer)
    assert (await parts.http.closed(WEB))["outcome"] == "remediated"
    assert await cluster.mutations("shop") == [("patch", "deployments/web")]
