"""Each class of failure on the embedded cluster: the rules name it, the best proposal heals it, Security lets it pass."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.contract.kubernetes.clusters import WEB, Shop, a_shop, eventually

from opsmend.agents.architect.remedies import Candidate, propose
from opsmend.agents.security.checks import CHECKS
from opsmend.agents.security.scene import Scene
from opsmend.agents.sre.detectors import FAILURES
from opsmend.agents.sre.diagnose import diagnose
from opsmend.domain.diagnosis import Category, Diagnosis
from opsmend.domain.health import assess
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.verdict import Severity
from opsmend.domain.verification import Health

DEPLOYMENT = "/apis/apps/v1/namespaces/shop/deployments/web"
SERVICE = "/api/v1/namespaces/shop/services/web"
CONFIG = "/api/v1/namespaces/shop/configmaps/web-nginx-v1"

Break = Callable[[Shop], Awaitable[None]]


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_shop(tmp_path) as running:
        yield running


def change_container(**fields: Any) -> Break:
    """Somebody edits the container of the pod template."""

    async def edit(shop: Shop) -> None:
        template = (await shop.get(DEPLOYMENT))["spec"]["template"]
        container = template["spec"]["containers"][0] | fields
        await shop.patch(DEPLOYMENT, {"spec": {"template": {"spec": {"containers": [container]}}}})

    return edit


def change(path: str, patch: dict[str, Any]) -> Break:
    async def edit(shop: Shop) -> None:
        await shop.patch(path, patch)

    return edit


def pod_spec(**fields: Any) -> Break:
    return change(DEPLOYMENT, {"spec": {"template": {"spec": fields}}})


async def ship_broken_release(shop: Shop) -> None:
    await shop.release()


async def starve(shop: Shop) -> None:
    rule = {
        "name": "needs 100Mi",
        "when": {"image": "nginx", "memory_limit_below": "100Mi"},
        "then": {"effect": "out_of_memory", "log": ["warming the cache"]},
    }
    await shop.post("/opsmend-demo/rules", rule)
    await change_container(resources={"requests": {"memory": "32Mi"}, "limits": {"memory": "64Mi"}})(shop)


async def crash_new_release(shop: Shop) -> None:
    rule = {
        "name": "1.28 crashes",
        "when": {"image": ":1.28"},
        "then": {"effect": "exits", "code": 139, "log": ["Segmentation fault (core dumped)"]},
    }
    await shop.post("/opsmend-demo/rules", rule)
    await change_container(image="nginx:1.28.0")(shop)


async def lose_image(shop: Shop) -> None:
    await shop.post(
        "/opsmend-demo/rules", {"name": "no such tag", "when": {"image": ":1.99"}, "then": {"effect": "pull_fails"}}
    )
    await change_container(image="nginx:1.99")(shop)


async def edit_config_in_place(shop: Shop) -> None:
    """The ConfigMap was applied once, then edited by hand; the pods read the edit when they are replaced."""
    applied = (await shop.get(CONFIG))["data"]
    declared = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "data": applied})
    await shop.patch(CONFIG, {"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": declared}}})
    await shop.patch(CONFIG, {"data": {key: value.replace("listen ", "lissten ") for key, value in applied.items()}})
    restarted = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-03-14T15:00:00Z"}}}
    await shop.patch(DEPLOYMENT, {"spec": {"template": restarted}})


async def tighten_quota(shop: Shop) -> None:
    quota = {"metadata": {"name": "team", "namespace": "shop"}, "spec": {"hard": {"limits.memory": "700Mi"}}}
    await shop.post("/api/v1/namespaces/shop/resourcequotas", {"apiVersion": "v1", "kind": "ResourceQuota", **quota})
    await change_container(resources={"requests": {"memory": "64Mi"}, "limits": {"memory": "600Mi"}})(shop)


def found(snapshot: Snapshot) -> Diagnosis:
    return diagnose(snapshot, [finding for failure in FAILURES for finding in failure.detect(snapshot)])


async def healed(shop: Shop, candidate: Candidate) -> None:
    plan = await shop.plan(*candidate.actions)
    live = {str(step.action.target): await shop.reader.read(step.action) for step in plan.steps}
    scene = Scene(plan, live)
    blocked = [finding.text for check in CHECKS for finding in check(scene) if finding.severity is Severity.BLOCK]
    assert blocked == []
    for step in plan.steps:
        await shop.writer.apply(step, f"{plan.hash}#{step.id}")

    async def look() -> Snapshot | None:
        snapshot = (await shop.reader.look(WEB, closely=True)).snapshot
        return snapshot if assess(snapshot).health is Health.HEALTHY else None

    await eventually(look, seconds=40)


PROBE = {"httpGet": {"path": "/healthz", "port": 9999}, "periodSeconds": 1}


@pytest.mark.parametrize(
    ("broken", "category", "actions"),
    [
        pytest.param(ship_broken_release, "broken_configuration", ["rollback_workload"], id="configuration-by-release"),
        pytest.param(
            edit_config_in_place,
            "broken_configuration",
            ["patch_config", "restart_workload"],
            id="configuration-in-place",
        ),
        pytest.param(change_container(livenessProbe=PROBE), "failing_probe", ["rollback_workload"], id="liveness-probe"),
        pytest.param(tighten_quota, "quota_exceeded", ["rollback_workload"], id="quota"),
        pytest.param(lose_image, "bad_image", ["rollback_workload"], id="image"),
        pytest.param(crash_new_release, "crash_after_rollout", ["rollback_workload"], id="crash"),
        pytest.param(starve, "out_of_memory", ["rollback_workload"], id="memory"),
        pytest.param(change_container(readinessProbe=PROBE), "failing_probe", ["rollback_workload"], id="probe"),
        pytest.param(
            pod_spec(volumes=[{"name": "conf", "configMap": {"name": "web-nginx-v9"}}]),
            "missing_reference",
            ["rollback_workload"],
            id="missing-config-map",
        ),
        pytest.param(pod_spec(nodeSelector={"disk": "nvme"}), "unschedulable", ["rollback_workload"], id="selector"),
        pytest.param(change_container(resources={"requests": {"cpu": "64"}}), "unschedulable", ["rollback_workload"], id="cpu"),
        pytest.param(
            change(SERVICE, {"spec": {"selector": {"app": "wbe"}}}),
            "service_mismatch",
            ["patch_service"],
            id="service-selector",
        ),
        pytest.param(
            change(SERVICE, {"spec": {"ports": [{"name": "http", "port": 80, "targetPort": "web"}]}}),
            "service_mismatch",
            ["patch_service"],
            id="service-port",
        ),
        pytest.param(change(DEPLOYMENT, {"spec": {"replicas": 0}}), "scaled_to_zero", ["scale_workload"], id="zero"),
    ],
)
async def test_failure_is_named_and_healed_by_the_best_proposal(
    shop: Shop, broken: Break, category: Category, actions: list[str]
) -> None:
    await broken(shop)
    snapshot = await shop.snapshot_when(lambda seen: found(seen).category == category)
    candidates = propose(found(snapshot), snapshot)
    best = candidates[0]
    assert best.rejected_because is None, candidates
    assert [action.type for action in best.actions] == actions
    await healed(shop, best)


async def test_scaled_to_zero_returns_to_the_number_that_ran(shop: Shop) -> None:
    await shop.patch(DEPLOYMENT, {"spec": {"replicas": 0}})
    snapshot = await shop.snapshot_when(lambda seen: found(seen).category == "scaled_to_zero")
    best = propose(found(snapshot), snapshot)[0]
    assert best.actions[0].model_dump()["replicas"] == 3


async def test_scaled_to_zero_on_purpose_is_left(shop: Shop) -> None:
    declared = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"spec": {"replicas": 0}})}
    await shop.patch(DEPLOYMENT, {"metadata": {"annotations": declared}, "spec": {"replicas": 0}})
    snapshot = await shop.snapshot_when(lambda seen: found(seen).category == "scaled_to_zero")
    assert all(candidate.rejected_because for candidate in propose(found(snapshot), snapshot))


async def test_lost_node_is_left_to_a_person(shop: Shop) -> None:
    (await shop.http.put("/opsmend-demo/nodes/node-a", json={"ready": False})).raise_for_status()
    target = WEB.model_copy(update={"kind": "Node", "namespace": "", "name": "node-a"})
    snapshot = await shop.snapshot_when(lambda seen: found(seen).category == "node_not_ready", target)
    assert all(candidate.rejected_because for candidate in propose(found(snapshot), snapshot))


async def test_healthy_shop_needs_nothing(shop: Shop) -> None:
    snapshot = await shop.snapshot_when(lambda seen: assess(seen).health is Health.HEALTHY)
    assert found(snapshot).category == "healthy"
    assert propose(found(snapshot), snapshot) == []
