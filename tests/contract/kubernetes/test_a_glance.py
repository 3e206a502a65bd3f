"""A glance at a target is two calls: its pods, and one log or the events of one of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from tests.contract.kubernetes.clusters import WEB, Shop, a_shop, eventually

from opsmend.domain.snapshot import Snapshot
from opsmend.domain.target import Kind, Target
from opsmend_cluster.config import ClusterConfig

DEFAULTS = ClusterConfig().rules
DEPLOYMENT = "/apis/apps/v1/namespaces/shop/deployments/web"
AWAY = {"effect": "pull_fails", "cause": "unreachable"}
UNREACHABLE = {"name": "registry", "when": {"image": "^away.example/"}, "then": AWAY}


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_shop(tmp_path, ClusterConfig.model_validate({"rules": [*DEFAULTS, UNREACHABLE]})) as running:
        yield running


async def glance_when(shop: Shop, seen: str) -> Snapshot:
    """Once a container of it waits for this reason."""

    async def look() -> Snapshot | None:
        snapshot = await shop.reader.glance(WEB)
        assert snapshot is not None
        waiting = {container.waiting_reason for pod in snapshot.pods for container in pod.containers}
        return snapshot if seen in waiting else None

    return await eventually(look)


async def test_the_pods_of_the_target_and_the_log_of_one_that_crashes(shop: Shop) -> None:
    await shop.release()
    seen = await glance_when(shop, "CrashLoopBackOff")
    assert seen.api_calls == 2
    assert {pod.name.rsplit("-", 2)[0] for pod in seen.pods} == {"web"}
    logs = [container.previous_log for pod in seen.pods for container in pod.containers if container.previous_log]
    assert len(logs) == 1
    assert all(pod.spec for pod in seen.pods if not pod.ready)


async def test_the_events_of_a_pod_that_waits_for_its_image(shop: Shop) -> None:
    container = (await shop.get(DEPLOYMENT))["spec"]["template"]["spec"]["containers"][0]
    changed = {"containers": [container | {"image": "away.example/web:2"}]}
    await shop.patch(DEPLOYMENT, {"spec": {"template": {"spec": changed}}})
    seen = await glance_when(shop, "ImagePullBackOff")
    assert seen.api_calls == 2
    assert any("away.example" in event.message for event in seen.events)


async def test_of_a_target_that_is_well_no_log_is_read(shop: Shop) -> None:
    seen = await shop.reader.glance(WEB)
    assert seen is not None
    assert (seen.api_calls, [pod.ready for pod in seen.pods]) == (1, [True] * 3)


async def test_a_target_whose_pods_do_not_name_it_is_not_glanced_at(shop: Shop) -> None:
    for kind in (Kind.SERVICE, Kind.NODE, Kind.CRON_JOB):
        assert await shop.reader.glance(Target(cluster="embedded", kind=kind, namespace="shop", name="web")) is None
