"""Causes that lie beside the alerting workload, on the embedded cluster: the right one is named, and mended there or left."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from tests.builders import an_alert
from tests.contract.kubernetes.clusters import Shop, a_shop, eventually
from tests.workflows.fakes import MetricsInMemory

from opsmend.agents.architect.remedies import Candidate, propose
from opsmend.agents.security.checks import CHECKS
from opsmend.agents.security.scene import Scene
from opsmend.agents.sre.causes import find_causes
from opsmend.agents.sre.diagnose import diagnose
from opsmend.agents.sre.graph import CONFIDENT
from opsmend.agents.sre.looks import look_around
from opsmend.domain.alert import Alert
from opsmend.domain.diagnosis import Category, Diagnosis
from opsmend.domain.health import assess
from opsmend.domain.load import Load, LoadSource
from opsmend.domain.quantity import quantity
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.target import Kind, ObjectRef, Target
from opsmend.domain.verdict import Severity
from opsmend.domain.verification import Health

APPS: Final = "/apis/apps/v1/namespaces/shop"
CORE: Final = "/api/v1/namespaces/shop"
MOST_CALLS: Final = 60
"""Of an investigation that follows a dependency; one that does not stays below 25."""

Prepare = Callable[[Shop], Awaitable[None]]


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_shop(tmp_path) as running:
        yield running


def target(kind: Kind, name: str, namespace: str = "shop") -> Target:
    return Target(cluster="embedded", kind=kind, namespace=namespace, name=name)


FRONT: Final = target(Kind.DEPLOYMENT, "front")
ORDERS: Final = target(Kind.DEPLOYMENT, "orders")
BATCH: Final = target(Kind.DEPLOYMENT, "batch")


async def deploy(
    shop: Shop, name: str, replicas: int = 2, pod: dict[str, Any] | None = None, *, well: bool = True, **container: Any
) -> None:
    """All pods at once are replaced by a release, so that a broken one leaves nobody behind the Service."""
    app = {"name": "app", "image": f"shop/{name}:1", "ports": [{"name": "http", "containerPort": 8080}], **container}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [app], **(pod or {})}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    await shop.post(f"{APPS}/deployments", {"metadata": {"name": name}, "spec": spec | {"strategy": {"type": "Recreate"}}})
    ports = [{"port": 8080, "targetPort": "http"}]
    await shop.post(f"{CORE}/services", {"metadata": {"name": name}, "spec": {"selector": {"app": name}, "ports": ports}})
    if well:
        await until_well(shop, target(Kind.DEPLOYMENT, name))


async def until_well(shop: Shop, what: Target) -> Snapshot:
    async def look() -> Snapshot | None:
        seen = await shop.reader.snapshot(what)
        return seen if assess(seen).health is Health.HEALTHY else None

    return await eventually(look, seconds=60)


async def until_down(shop: Shop, name: str) -> None:
    """Until the pods that were well are gone, those that are being stopped among them."""

    async def look() -> bool | None:
        pods = (await shop.get(f"{CORE}/pods?labelSelector=app%3D{name}"))["items"]
        return True if pods and not any(c["ready"] for p in pods for c in p["status"].get("containerStatuses", [])) else None

    await eventually(look)


async def release(shop: Shop, name: str, **fields: Any) -> None:
    path = f"{APPS}/deployments/{name}"
    container = (await shop.get(path))["spec"]["template"]["spec"]["containers"][0] | fields
    await shop.patch(path, {"spec": {"template": {"spec": {"containers": [container]}}}})


async def investigated(
    shop: Shop, what: Target, category: Category, metrics: MetricsInMemory | None = None
) -> tuple[Snapshot, Diagnosis]:
    async def look() -> tuple[Snapshot, Diagnosis] | None:
        seen = await look_around(shop.reader, metrics or MetricsInMemory(), what, (an_alert(target=what),))
        found = diagnose(seen, find_causes(seen))
        return (seen, found) if found.category == category and found.confidence >= CONFIDENT else None

    return await eventually(look, seconds=40)


async def carried_out(shop: Shop, candidate: Candidate) -> None:
    assert candidate.rejected_because is None
    plan = await shop.plan(*candidate.actions)
    live = {str(step.action.target): await shop.reader.read(step.action) for step in plan.steps}
    assert [f.text for check in CHECKS for f in check(Scene(plan, live)) if f.severity is Severity.BLOCK] == []
    for step in plan.steps:
        await shop.writer.apply(step, f"{plan.hash}#{step.id}")


# --- a dependency -----------------------------------------------------------------------------------------------------------

CALLS_ORDERS: Final[dict[str, Any]] = {"env": [{"name": "ORDERS_URL", "value": "http://orders:8080"}]}
NO_SUCH_TAG: Final = {"name": "no such tag", "when": {"image": ":broken"}, "then": {"effect": "pull_fails"}}


def without_orders(then: dict[str, Any], **when: str) -> dict[str, Any]:
    """A rule about what front does while orders is down."""
    return {"name": "needs orders", "when": {"service_down": "orders", **when}, "then": then}


async def crash_without_orders(shop: Shop) -> None:
    """It says why as a Go program does."""
    log = ['panic: Get "http://orders:8080/": dial tcp 10.96.0.9:8080: connect: connection refused']
    await shop.post("/opsmend-demo/rules", without_orders({"effect": "exits", "code": 2, "log": log}, image="shop/front"))
    await deploy(shop, "front", well=False, **CALLS_ORDERS)


async def wait_for_orders_before_start(shop: Shop) -> None:
    """An init container that gives up after a while."""
    log = ["waiting for orders...", "orders: no response, giving up"]
    await shop.post("/opsmend-demo/rules", without_orders({"effect": "exits", "code": 1, "log": log}, container="wait"))
    wait = {"name": "wait", "image": "busybox:1", "command": ["sh", "-c", "until nc -z orders 8080; do sleep 1; done"]}
    await deploy(shop, "front", pod={"initContainers": [wait]}, well=False)


async def be_unready_without_orders(shop: Shop) -> None:
    message = "curl: (7) Failed to connect to orders port 8080: Connection refused"
    await shop.post("/opsmend-demo/rules", without_orders({"effect": "probe_fails", "message": message}, image="shop/front"))
    await deploy(shop, "front", **CALLS_ORDERS)


@pytest.mark.parametrize(
    ("front", "before"),
    [
        pytest.param(crash_without_orders, False, id="crash"),
        pytest.param(be_unready_without_orders, True, id="probe"),
        pytest.param(wait_for_orders_before_start, False, id="init-container"),
    ],
)
async def test_what_broke_the_dependency_is_mended_and_the_alerting_workload_left_alone(
    shop: Shop, front: Prepare, before: bool
) -> None:
    await deploy(shop, "orders")
    if before:
        await front(shop)
    await shop.post("/opsmend-demo/rules", NO_SUCH_TAG)
    await release(shop, "orders", image="shop/orders:broken")
    await until_down(shop, "orders")
    if not before:
        await front(shop)
    untouched = (await shop.get(f"{APPS}/deployments/front"))["spec"]
    seen, found = await investigated(shop, FRONT, "bad_image")
    assert found.resource == ORDERS.ref
    assert found.summary.startswith("Deployment shop/front fails because Deployment shop/orders does")
    assert seen.api_calls <= MOST_CALLS
    await carried_out(shop, propose(found, seen)[0])
    await until_well(shop, ORDERS)
    await until_well(shop, FRONT)
    assert (await shop.get(f"{APPS}/deployments/front"))["spec"] == untouched
    assert [entry["name"] for entry in await shop.mutations()] == ["orders"]


async def test_a_dependency_that_is_well_is_ruled_out(shop: Shop) -> None:
    await deploy(shop, "orders")
    crash = {"name": "crash", "when": {"image": "shop/front:2"},
             "then": {"effect": "exits", "code": 1, "log": ["orders: connection refused", "panic: nil map"]}}  # fmt: skip
    await shop.post("/opsmend-demo/rules", crash)
    await deploy(shop, "front", **CALLS_ORDERS)
    await release(shop, "front", image="shop/front:2")
    _, found = await investigated(shop, FRONT, "crash_after_rollout")
    assert found.resource == FRONT.ref
    assert "orders answers: 2 ready endpoints" in [ruled_out.why for ruled_out in found.ruled_out]


# --- load -------------------------------------------------------------------------------------------------------------------


class Requests(MetricsInMemory):
    """A rule that allows ten a replica, and 57 requests a second that arrive whatever happens."""

    def __init__(self, shop: Shop) -> None:
        super().__init__()
        self._shop = shop

    async def load(self, alert: Alert, workload: ObjectRef) -> Load | None:
        status = (await self._shop.get(f"{APPS}/deployments/{workload.name}"))["status"]
        replicas = status["availableReplicas"]
        return Load(
            source=LoadSource.RULE, per_replica=57 / replicas, replicas=replicas, limit=10, unit="/s", expression="rule"
        )


async def test_load_gets_the_replicas_that_it_needs(shop: Shop) -> None:
    await deploy(shop, "front", 4, resources={"requests": {"cpu": "100m"}})
    seen, found = await investigated(shop, FRONT, "overloaded", Requests(shop))
    best = propose(found, seen)[0]
    assert "5 replicas would still have 11.4 each, over the alert's 10; 6 have 9.5" in best.reason
    await carried_out(shop, best)
    await until_well(shop, FRONT)
    assert (await shop.get(f"{APPS}/deployments/front"))["status"]["availableReplicas"] == 6
    await investigated(shop, FRONT, "healthy", Requests(shop))


async def test_load_without_room_on_the_nodes_is_for_a_person(shop: Shop) -> None:
    """Two nodes of four cores take two pods of 1500m each."""
    await deploy(shop, "front", 4, resources={"requests": {"cpu": "1500m"}})
    seen, found = await investigated(shop, FRONT, "overloaded", Requests(shop))
    candidates = propose(found, seen)
    assert all(candidate.rejected_because for candidate in candidates)
    assert "2 nodes that were looked at have room for 0 more pods, 2 are needed" in (candidates[0].rejected_because or "")


async def test_cpu_is_held_against_the_requests_where_no_rule_tells(shop: Shop) -> None:
    busy = {"name": "busy", "when": {"image": "shop/front"}, "then": {"effect": "uses_cpu", "cores": "600m"}}
    await shop.post("/opsmend-demo/rules", busy)
    await deploy(shop, "front", 4, resources={"requests": {"cpu": "100m"}})
    seen, found = await investigated(shop, FRONT, "overloaded")
    best = propose(found, seen)[0]
    assert best.actions[0].model_dump()["replicas"] == 8
    await carried_out(shop, best)
    await until_well(shop, FRONT)
    await investigated(shop, FRONT, "healthy")


SCALER: Final = target(Kind.HORIZONTAL_POD_AUTOSCALER, "front")


@pytest.mark.parametrize("alerted", [FRONT, SCALER], ids=["alert-about-the-workload", "alert-about-the-autoscaler"])
async def test_an_autoscaler_at_its_maximum_may_choose_what_it_wants(shop: Shop, alerted: Target) -> None:
    busy = {"name": "busy", "when": {"image": "shop/front"}, "then": {"effect": "uses_cpu", "cores": "600m"}}
    await shop.post("/opsmend-demo/rules", busy)
    await deploy(shop, "front", 2, resources={"requests": {"cpu": "100m"}})
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
    spec = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "front"}, "minReplicas": 2,
            "maxReplicas": 5, "metrics": [metric]}  # fmt: skip
    scalers = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"
    await shop.post(scalers, {"metadata": {"name": "front"}, "spec": spec})

    async def settled() -> bool | None:
        status = (await shop.get(f"{scalers}/front"))["status"]
        value = (status.get("currentMetrics") or [{}])[0].get("resource", {}).get("current", {}).get("averageUtilization")
        return True if status["currentReplicas"] == 5 and value == 121 else None

    await eventually(settled)
    assert assess(await shop.reader.snapshot(SCALER)).health is Health.UNHEALTHY
    seen, found = await investigated(shop, alerted, "autoscaler_limited")
    best = propose(found, seen)[0]
    assert best.actions[0].model_dump(include={"type", "max_replicas"}) == {"type": "patch_autoscaler", "max_replicas": 8}
    assert "5 x 121% / 80% makes 8 replicas" in best.reason
    await carried_out(shop, best)
    well = await until_well(shop, SCALER)
    assert well.workload is not None
    assert well.workload.ready_replicas == 8


# --- a quota ----------------------------------------------------------------------------------------------------------------


async def test_a_neighbour_that_took_the_quota_gives_it_back(shop: Shop) -> None:
    limits: dict[str, Any] = {"resources": {"requests": {"memory": "64Mi"}, "limits": {"memory": "64Mi"}}}
    await deploy(shop, "front", **limits)
    await deploy(shop, "batch", 1, **limits)
    quota, path = {"limits.memory": "8Gi"}, f"{CORE}/resourcequotas/team"
    await shop.post(f"{CORE}/resourcequotas", {"metadata": {"name": "team"}, "spec": {"hard": quota}})

    async def used() -> Decimal | None:
        return quantity(((await shop.get(path))["status"].get("used") or {}).get("limits.memory"))

    hard = int(await eventually(used)) // 2**20 + 5 * 64
    await shop.patch(path, {"spec": {"hard": {"limits.memory": f"{hard}Mi"}}})
    await shop.patch(f"{APPS}/deployments/batch", {"spec": {"replicas": 6}})
    await until_well(shop, BATCH)
    await shop.patch(f"{APPS}/deployments/front", {"spec": {"replicas": 4}})
    seen, found = await investigated(shop, FRONT, "quota_exceeded")
    assert found.resource == BATCH.ref
    assert "Deployment shop/batch was scaled from 1 to 6" in found.summary
    await carried_out(shop, propose(found, seen)[0])
    await until_well(shop, FRONT)
    assert (await shop.get(f"{APPS}/deployments/front"))["status"]["readyReplicas"] == 4
    assert (await shop.get(f"{APPS}/deployments/batch"))["spec"]["replicas"] == 1


# --- what is left to a person -----------------------------------------------------------------------------------------------


async def declare_maintenance(shop: Shop) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await shop.patch("/api/v1/namespaces/shop", {"metadata": {"annotations": {"opsmend.io/maintenance-until": until}}})
    await shop.post("/opsmend-demo/rules", NO_SUCH_TAG)
    await deploy(shop, "front", well=False, image="shop/front:broken")


async def fail_a_job(shop: Shop) -> None:
    rule = {"name": "fails", "when": {"image": "shop/job"}, "then": {"effect": "exits", "code": 3, "log": ["out of seats"]}}
    await shop.post("/opsmend-demo/rules", rule)
    template = {"spec": {"containers": [{"name": "job", "image": "shop/job:1"}], "restartPolicy": "Never"}}
    job = {"metadata": {"name": "import"}, "spec": {"backoffLimit": 1, "template": template}}
    await shop.post("/apis/batch/v1/namespaces/shop/jobs", job)


async def taint_all_nodes(shop: Shop) -> None:
    for node in ("node-a", "node-b"):
        taint = {"key": "dedicated", "value": "batch", "effect": "NoSchedule"}
        headers = {"Content-Type": "application/merge-patch+json", "User-Agent": "mia"}
        await shop.http.patch(f"/api/v1/nodes/{node}", json={"spec": {"taints": [taint]}}, headers=headers)
    await deploy(shop, "front", well=False)


async def ask_for_a_class_that_is_not_there(shop: Shop) -> None:
    await shop.post("/apis/storage.k8s.io/v1/storageclasses", {"metadata": {"name": "fast"}, "provisioner": "csi.example.com"})
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": "fats", "resources": {"requests": {"storage": "1Gi"}}}
    await shop.post(f"{CORE}/persistentvolumeclaims", {"metadata": {"name": "data"}, "spec": spec})
    volumes = [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]
    await deploy(shop, "front", pod={"volumes": volumes}, well=False)


CLAIM: Final = target(Kind.PERSISTENT_VOLUME_CLAIM, "data")
JOB: Final = target(Kind.JOB, "import")


@pytest.mark.parametrize(
    ("broken", "alerted", "category", "says"),
    [
        pytest.param(declare_maintenance, FRONT, "maintenance", "planned maintenance until", id="maintenance"),
        pytest.param(fail_a_job, JOB, "job_failed", "exited with 3", id="job"),
        pytest.param(taint_all_nodes, FRONT, "unschedulable", "taints are not tolerated", id="taint"),
        pytest.param(ask_for_a_class_that_is_not_there, CLAIM, "volume_pending", "fast may be meant", id="claim"),
        pytest.param(ask_for_a_class_that_is_not_there, FRONT, "volume_pending", "fast may be meant", id="its-pods"),
    ],
)
async def test_the_cause_is_named_and_nothing_is_proposed(
    shop: Shop, broken: Prepare, alerted: Target, category: Category, says: str
) -> None:
    await broken(shop)
    seen, found = await investigated(shop, alerted, category)
    assert says in found.summary
    assert all(candidate.rejected_because for candidate in propose(found, seen))
    assert seen.api_calls <= 25


async def test_who_tainted_the_nodes_is_named(shop: Shop) -> None:
    await taint_all_nodes(shop)
    seen, found = await investigated(shop, FRONT, "unschedulable")
    assert "dedicated=batch:NoSchedule, last changed by mia at" in (propose(found, seen)[0].rejected_because or "")


async def test_a_toleration_that_a_release_dropped_comes_back(shop: Shop) -> None:
    for node in ("node-a", "node-b"):
        taint = {"key": "dedicated", "value": "batch", "effect": "NoSchedule"}
        await shop.patch(f"/api/v1/nodes/{node}", {"spec": {"taints": [taint]}})
    await deploy(shop, "front", pod={"tolerations": [{"key": "dedicated", "operator": "Exists"}]})
    await shop.patch(f"{APPS}/deployments/front", {"spec": {"template": {"spec": {"tolerations": None}}}})
    seen, found = await investigated(shop, FRONT, "unschedulable")
    best = propose(found, seen)[0]
    assert [action.type for action in best.actions] == ["rollback_workload"]
    await carried_out(shop, best)
    await until_well(shop, FRONT)
