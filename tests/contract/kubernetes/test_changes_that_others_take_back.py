"""A change of ours that somebody takes back is noticed, with who did it and when; what others do beside it is no reversion."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.contract.kubernetes.clusters import WEB, Shop, a_shop
from tests.contract.kubernetes.test_on_the_embedded_cluster import CONFIG, DEPLOYMENT, NODE, SERVICE, marker, rollback

from opsmend.domain.actions import AnyAction
from opsmend.domain.actions.cordon_node import CordonNode
from opsmend.domain.actions.patch_config import PatchConfig
from opsmend.domain.actions.patch_service import PatchService
from opsmend.domain.actions.scale_workload import ScaleWorkload
from opsmend.domain.actions.set_image import SetImage
from opsmend.domain.execution import AppliedChange
from opsmend.domain.health import well_at_a_glance
from opsmend.domain.plan import Plan

CONFIG_PATH = "/api/v1/namespaces/shop/configmaps/web-nginx-v1"
SERVICE_PATH = "/api/v1/namespaces/shop/services/web"
NODE_PATH = "/api/v1/nodes/node-a"
ARGO = "argocd-controller at …"
NOBODY = "somebody whom managedFields do not name"
"""Who only takes a field out owns nothing of what is left."""
TRACKED = {"metadata": {"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/web"}}}


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_shop(tmp_path) as running:
        yield running


def changes_of(plan: Plan) -> tuple[AppliedChange, ...]:
    return tuple(AppliedChange(step_id=s.id, action=s.action, marker=marker(plan, s.id)) for s in plan.steps)


async def carried_out(shop: Shop, *actions: AnyAction) -> tuple[AppliedChange, ...]:
    plan = await shop.plan(*actions)
    for step in plan.steps:
        await shop.writer.apply(step, marker(plan, step.id))
    return changes_of(plan)


async def edit(shop: Shop, path: str, change: dict[str, Any], manager: str = "argocd-controller") -> None:
    """Somebody else writes the object, lists by their keys."""
    headers = {"Content-Type": "application/strategic-merge-patch+json"}
    answer = await shop.http.patch(path, json=change, headers=headers, params={"fieldManager": manager})
    answer.raise_for_status()


async def sentences(shop: Shop, changes: tuple[AppliedChange, ...]) -> list[str]:
    return [reversion.sentence for reversion in (await shop.reader.look(WEB, changes, closely=False)).reverted]


def of_container(**fields: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": "nginx", **fields}]}}}}


IMAGE = SetImage(target=WEB.ref, container="nginx", image="nginx:1.27.0")


@pytest.mark.parametrize(
    ("action", "path", "change", "told"),
    [
        pytest.param(
            IMAGE, DEPLOYMENT, of_container(image="nginx:1.26"), f"{ARGO}: it keeps spec.template.spec.containers.0.image",
            id="image",
        ),
        pytest.param(
            ScaleWorkload(target=WEB.ref, replicas=4), DEPLOYMENT, {"spec": {"replicas": 3}}, f"{ARGO}: it keeps spec.replicas",
            id="scale",
        ),
        pytest.param(
            PatchConfig(target=CONFIG, key="extra.conf", value="x"), CONFIG_PATH, {"data": {"extra.conf": "y"}},
            f"{ARGO}: it keeps data.extra.conf", id="config",
        ),
        pytest.param(
            PatchConfig(target=CONFIG, key="extra.conf", value="x"), CONFIG_PATH, {"data": {"extra.conf": None}},
            f"{NOBODY}: it keeps data.extra.conf", id="config-taken-out",
        ),
        pytest.param(
            PatchService(target=SERVICE, selector={"app": "web", "tier": "front"}), SERVICE_PATH,
            {"spec": {"selector": {"tier": "back"}}}, f"{ARGO}: it keeps spec.selector.tier", id="service",
        ),
        pytest.param(
            CordonNode(target=NODE), NODE_PATH, {"spec": {"unschedulable": False}}, f"{ARGO}: it keeps spec.unschedulable",
            id="node",
        ),
    ],
)  # fmt: skip
async def test_whoever_takes_it_back_is_named(
    shop: Shop, action: AnyAction, path: str, change: dict[str, Any], told: str
) -> None:
    changes = await carried_out(shop, action)
    assert await sentences(shop, changes) == []
    await edit(shop, path, change)
    (sentence,) = await sentences(shop, changes)
    assert re.sub(r"at 20[-\d]+ [:\d]+ UTC", "at …", sentence) == f"our change of {action.target} was reverted by {told}"


async def test_a_rollback_that_is_rolled_forward_again_is_noticed(shop: Shop) -> None:
    changes = await carried_out(shop, await rollback(shop))
    await shop.snapshot_when(lambda s: s.revisions and s.revisions[0].number == 3)
    assert await sentences(shop, changes) == []
    volume = {"name": "conf", "configMap": {"name": "web-nginx-v2"}}
    await edit(shop, DEPLOYMENT, TRACKED | {"spec": {"template": {"spec": {"volumes": [volume]}}}})
    (sentence,) = await sentences(shop, changes)
    assert sentence.startswith("our change of Deployment shop/web was reverted by argocd-controller at 20")
    assert ": it keeps spec.template.spec.volumes.0.configMap.name" in sentence
    assert sentence.endswith(". The object belongs to Argo CD (application shop)")


Foreign = Callable[[Shop], Awaitable[None]]


async def scale_by_hand(shop: Shop) -> None:
    await edit(shop, DEPLOYMENT, {"spec": {"replicas": 2}}, "kubectl")


async def label(shop: Shop) -> None:
    await edit(shop, DEPLOYMENT, {"metadata": {"labels": {"seen-by": "somebody"}}}, "kubectl")


async def wait_for_the_controllers(shop: Shop) -> None:
    await shop.snapshot_when(lambda s: s.workload and well_at_a_glance(s.workload))


@pytest.mark.parametrize("foreign", [scale_by_hand, label, wait_for_the_controllers])
async def test_what_others_change_beside_it_is_no_reversion(shop: Shop, foreign: Foreign) -> None:
    changes = await carried_out(shop, IMAGE)
    await foreign(shop)
    assert await sentences(shop, changes) == []


async def test_two_changes_of_one_object_stand_and_fall_together_and_are_read_once(shop: Shop) -> None:
    changes = await carried_out(shop, IMAGE, ScaleWorkload(target=WEB.ref, replicas=4))
    assert await sentences(shop, changes) == []
    await shop.http.delete("/opsmend-demo/audit")
    await edit(shop, DEPLOYMENT, {"spec": {"replicas": 3}})
    look = await shop.reader.look(WEB, changes, closely=True)
    (reversion,) = look.reverted
    assert reversion.steps == ("1", "2")
    entries = (await shop.http.get("/opsmend-demo/audit", params={"reads": "true"})).json()
    assert len([e for e in entries if (e["verb"], e["resource"]) == ("get", "deployments.apps")]) == 1


async def test_a_mark_that_is_gone_is_a_reversion_too(shop: Shop) -> None:
    changes = await carried_out(shop, IMAGE)
    await edit(shop, DEPLOYMENT, {"metadata": {"annotations": {"opsmend.io/last-change": None}}})
    (sentence,) = await sentences(shop, changes)
    assert "our mark is gone" in sentence


async def test_an_object_that_is_gone_is_a_reversion_too(shop: Shop) -> None:
    changes = await carried_out(shop, PatchConfig(target=CONFIG, key="extra.conf", value="x"))
    (await shop.http.delete(CONFIG_PATH)).raise_for_status()
    assert await sentences(shop, changes) == [f"{CONFIG} was deleted after we had changed it"]


async def test_a_look_at_the_workload_that_was_changed_is_still_one_call(shop: Shop) -> None:
    changes = await carried_out(shop, IMAGE)
    await wait_for_the_controllers(shop)
    seen = await shop.reader.look(WEB, changes, closely=False)
    assert (seen.snapshot.glanced, seen.snapshot.api_calls, seen.reverted) == (True, 1, ())
