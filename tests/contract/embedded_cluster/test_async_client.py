"""The asynchronous client works in the same event loop as the cluster."""

import asyncio
from typing import Any

from kubernetes.aio import client, watch

from opsmend_cluster.server import running_cluster
from opsmend_cluster.shop import seed_shop


async def test_async_client_sees_the_shop_come_up() -> None:
    async with running_cluster() as cluster, client.ApiClient(client.Configuration(host=cluster.url)) as api:
        await asyncio.to_thread(seed_shop, cluster.url)
        apps = client.AppsV1Api(api)
        stream = watch.Watch().stream(apps.list_namespaced_deployment, "shop", timeout_seconds=15)
        async for event in stream:
            found: Any = event["object"]
            if found.metadata.name == "checkout" and found.status.ready_replicas == 2:
                return
        raise AssertionError("checkout did not come up")
