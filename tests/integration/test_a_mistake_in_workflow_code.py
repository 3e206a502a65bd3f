"""A mistake in workflow code ends no incident and lets go of nothing: people are told, and a mended worker goes on with it."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from tests.integration.outside.cluster import Cluster, a_cluster
from tests.integration.outside.opsmend import CLUSTER
from tests.integration.outside.parts import Parts, broken_version, separate_parts
from tests.integration.outside.waiting import eventually

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(900)]

WEB = f"incident:{CLUSTER}:shop:deployment:web"
OTHERS = ("architect", "security", "deployment", "sre", "connectors")


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with a_cluster(tmp_path / "cluster") as running:
        await running.deploy("shop")
        await running.break_image("shop")
        yield running


@pytest.fixture
async def parts(tmp_path: Path, cluster: Cluster) -> AsyncIterator[Parts]:
    async with separate_parts(tmp_path / "opsmend", cluster.kubeconfig) as running:
        broken = broken_version("a-bug")
        await asyncio.gather(running.api(), running.worker(*OTHERS), running.worker("workflows", version=broken))
        yield running


async def told(parts: Parts, sentence: str) -> dict[str, Any]:
    """The alarm with this in it; without Slack people read it in the connectors' log."""

    async def look() -> dict[str, Any] | None:
        lines = parts.running["+".join(OTHERS)].log.read_text().splitlines()
        said = [json.loads(line) for line in lines if '"chat.alarm"' in line]
        return next((alarm for alarm in said if sentence in alarm["alarm"]), None)

    return await eventually(look, f"people told: {sentence}", 60)


async def test_people_are_told_and_the_incident_goes_on_once_it_is_mended(parts: Parts, cluster: Cluster) -> None:
    await parts.http.alert("shop")
    alarm = await told(parts, f"{WEB} stands still")
    assert "KeyError: 'no such thing'" in alarm["alarm"]
    temporal = await Client.connect(parts.temporal)
    for workflow_id in (WEB, f"lock:{CLUSTER}:Deployment shop/web"):
        described = await temporal.get_workflow_handle(workflow_id).describe()
        assert described.status is WorkflowExecutionStatus.RUNNING
    assert await parts.http.alert("shop") == {"id": WEB, "created": False}

    await parts.worker("workflows")
    asked = await parts.http.asking(WEB)
    assert asked["alerts_received"] == 2
    await told(parts, f"{WEB} does not stand still any more")

    # Somebody changes the order of the commands and forgets the patch.
    await parts.worker("workflows", version=broken_version("another-order"))
    await parts.http.alert("shop")
    await told(parts, "ondeterminis")
    await parts.worker("workflows")
    assert (await parts.http.approve(WEB))["alerts_received"] == 3
    assert (await parts.http.closed(WEB))["outcome"] == "remediated"
    assert await cluster.mutations("shop") == [("patch", "deployments/web")]
