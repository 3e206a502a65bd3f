"""A GitOps tool puts back what its repository declares: the incident names it, and leaves the object to it."""

import pytest
from tests.integration.outside.cluster import BAD, Cluster, deployment_path
from tests.integration.outside.opsmend import Opsmend
from tests.integration.outside.waiting import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

TRACKED = {"metadata": {"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:synced/web"}}}


async def sync(cluster: Cluster, namespace: str) -> None:
    """What its repository declares: the image that does not exist."""
    declared = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": BAD}]}}}}
    headers = {"Content-Type": "application/strategic-merge-patch+json"}
    query = {"fieldManager": "argocd-controller"}
    answer = await cluster.http.patch(deployment_path(namespace), json=declared, headers=headers, params=query)
    answer.raise_for_status()


async def test_the_tool_is_named_and_nothing_is_tried_again(opsmend: Opsmend, cluster: Cluster) -> None:
    await cluster.deploy("synced")
    await cluster.patch(deployment_path("synced"), TRACKED)
    await cluster.break_image("synced")
    incident = await opsmend.open("synced")
    asking = await opsmend.approve(incident)
    (action,) = asking["plan"]["actions"]
    assert "belongs to Argo CD (application shop), which may take the change back" in action["reason"]

    async def is_changed() -> bool | None:
        return bool(await cluster.mutations("synced")) or None

    await eventually(is_changed, "our change")
    await sync(cluster, "synced")
    closed = await opsmend.closed(incident)
    assert closed["outcome"] == "escalated", closed["closing"]
    assert "our change of Deployment synced/web was reverted by argocd-controller at 20" in closed["closing"]
    assert "The object belongs to Argo CD (application shop)" in closed["closing"]
    assert await cluster.mutations("synced") == [("patch", "deployments/web")]
    container = (await cluster.deployment("synced"))["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == BAD
