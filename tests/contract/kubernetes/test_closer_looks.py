"""What lies beyond a workload's neighbourhood is read in few calls: whom it calls, its neighbours, room, load, volumes."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from tests.contract.kubernetes.clusters import WEB, Shop, a_shop, eventually
from tests.contract.kubernetes.scripted_api import Answer, ScriptedApi, connected

from opsmend.adapters.kubernetes.reader import KubernetesReader
from opsmend.domain.health import limited
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.target import Kind, ObjectRef, Target
from opsmend.errors import TargetGoneError

APPS: Final = "/apis/apps/v1/namespaces/shop"
CORE: Final = "/api/v1/namespaces/shop"
BATCH: Final = "/apis/batch/v1/namespaces/shop"
SCALERS: Final = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"
DEPLOYMENT: Final = f"{APPS}/deployments/web"
BUSY: Final = {"name": "busy", "when": {"image": "nginx"}, "then": {"effect": "uses_cpu", "cores": "2"}}


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_shop(tmp_path) as running:
        yield running


def target(kind: Kind, name: str) -> Target:
    return Target(cluster="embedded", kind=kind, namespace="shop", name=name)


def a_template(name: str, image: str = "shop/app:1", **container: Any) -> dict[str, Any]:
    return {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": image, **container}]}}


async def deploy(shop: Shop, name: str, replicas: int = 1, **container: Any) -> None:
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": a_template(name, **container)}
    await shop.post(f"{APPS}/deployments", {"metadata": {"name": name}, "spec": spec})


async def expose(shop: Shop, name: str, **spec: Any) -> None:
    defaults = {"selector": {"app": name}, "ports": [{"port": 80}]}
    await shop.post(f"{CORE}/services", {"metadata": {"name": name}, "spec": defaults | spec})


async def change_container(shop: Shop, **fields: Any) -> None:
    container = (await shop.get(DEPLOYMENT))["spec"]["template"]["spec"]["containers"][0] | fields
    await shop.patch(DEPLOYMENT, {"spec": {"template": {"spec": {"containers": [container]}}}})


async def as_mia(shop: Shop, path: str, change: dict[str, Any]) -> None:
    headers = {"Content-Type": "application/merge-patch+json", "User-Agent": "mia"}
    (await shop.http.patch(path, json=change, headers=headers)).raise_for_status()


async def test_the_services_that_a_workload_calls_are_seen_without_a_further_call(shop: Shop) -> None:
    await expose(shop, "orders")
    await expose(shop, "elsewhere", type="ExternalName", externalName="db.example.com", selector=None, ports=None)
    before = (await shop.reader.snapshot(WEB)).api_calls
    names = ("http://orders:8080", "http://gone:80", "http://web", "http://elsewhere", "http://billing.finance.svc:80")
    await change_container(shop, env=[{"name": f"URL{i}", "value": value} for i, value in enumerate(names)])
    seen = await shop.snapshot_when(lambda s: len(s.dependencies) == 4 and all(p.ready for p in s.pods))
    known = {str(d.ref): (d.exists, d.service is not None, d.ports) for d in seen.dependencies}
    assert known == {
        "Service shop/orders": (True, True, (8080,)),
        "Service shop/gone": (False, False, (80,)),
        "Service finance/billing": (None, False, (80,)),
        "Service shop/checkout": (True, True, ()),
    }
    orders = seen.dependencies[0]
    assert orders.named_in == "env URL0 of container nginx"
    assert orders.service is not None
    assert orders.service.cluster_ip == (await shop.get(f"{CORE}/services/orders"))["spec"]["clusterIP"]
    # Two logs of pods that are well, since what they call may fail them all the same.
    assert seen.api_calls <= before + 2


async def test_a_well_workload_that_calls_somebody_has_its_log_read(shop: Shop) -> None:
    await expose(shop, "orders")
    await change_container(shop, env=[{"name": "ORDERS", "value": "http://orders"}])
    seen = await shop.snapshot_when(lambda s: s.dependencies and any(c.log for p in s.pods for c in p.containers))
    assert sum(bool(container.log) for pod in seen.pods for container in pod.containers) <= 2


async def test_an_autoscaler_is_seen_with_what_it_goes_by(shop: Shop) -> None:
    await shop.post("/opsmend-demo/rules", BUSY)
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
    spec = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "minReplicas": 3,
            "maxReplicas": 3, "metrics": [metric]}  # fmt: skip
    await change_container(shop, resources={"requests": {"cpu": "100m"}})
    await shop.post(SCALERS, {"metadata": {"name": "web"}, "spec": spec})
    scaler = target(Kind.HORIZONTAL_POD_AUTOSCALER, "web")
    seen = await shop.snapshot_when(lambda s: any(limited(a) and a.metrics[0].current for a in s.autoscalers), scaler)
    assert seen.workload is not None
    assert seen.workload.ref == WEB.ref
    (found,) = seen.autoscalers
    assert (found.max_replicas, found.current_replicas, found.metrics[0].target, found.metrics[0].unit) == (3, 3, 80, "%")


async def test_the_cpu_of_the_pods_comes_from_the_metrics_api(shop: Shop) -> None:
    await shop.post("/opsmend-demo/rules", BUSY)
    seen = await shop.reader.snapshot(WEB)
    assert seen.workload is not None
    workload = seen.workload

    async def busy() -> dict[str, float] | None:
        cores = await shop.reader.cpu(workload)
        return cores if all(used > 0.1 for used in cores.values()) else None

    assert (await eventually(busy)).keys() == {pod.name for pod in seen.pods}


async def test_a_cluster_without_a_metrics_api_says_so(shop: Shop) -> None:
    api = ScriptedApi()
    api.on("/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods", Answer({"message": "not found"}, 404))
    workload = (await shop.reader.snapshot(WEB)).workload
    assert workload is not None
    async with connected(api) as connection:
        with pytest.raises(TargetGoneError):
            await KubernetesReader(connection).cpu(workload)


async def test_room_on_a_node_is_what_its_pods_leave(shop: Shop) -> None:
    await deploy(shop, "big", resources={"requests": {"cpu": "2", "memory": "1Gi"}})
    await shop.snapshot_when(lambda s: s.pods and all(p.ready for p in s.pods), target(Kind.DEPLOYMENT, "big"))
    nodes = await shop.reader.nodes()
    assert {node.name for node in nodes} == {"node-a", "node-b"}
    assert all(node.requested is None for node in nodes)
    counted = [await shop.reader.occupied(node) for node in nodes]
    assert sorted(float((node.requested or {})["cpu"]) >= 2 for node in counted) == [False, True]
    pods = await shop.get("/api/v1/pods")
    assert sum(int((node.requested or {})["pods"]) for node in counted) == len(pods["items"])


async def test_neighbours_are_told_with_who_scaled_them_from_what(shop: Shop) -> None:
    await deploy(shop, "batch", resources={"limits": {"memory": "64Mi"}}, env=[{"name": "PASSWORD", "value": "hunter2hunter2"}])
    batch = target(Kind.DEPLOYMENT, "batch")
    await shop.snapshot_when(lambda s: s.workload and s.workload.ready_replicas == 1, batch)
    headers = {"Content-Type": "application/merge-patch+json", "User-Agent": "mia"}
    (
        await shop.http.patch(f"{APPS}/deployments/batch/scale", json={"spec": {"replicas": 4}}, headers=headers)
    ).raise_for_status()
    await shop.snapshot_when(lambda s: s.workload and s.workload.ready_replicas == 4, batch)
    neighbours = {neighbour.ref.name: neighbour for neighbour in await shop.reader.neighbours("shop")}
    assert {"batch", "web", "checkout"} <= neighbours.keys()
    found = neighbours["batch"]
    assert (found.replicas, found.replicas_before, found.scaled_by) == (4, 1, "mia")
    assert found.grown_at is not None
    assert "hunter2" not in found.model_dump_json()
    assert neighbours["web"].replicas_before is None


async def test_a_rollout_of_a_neighbour_is_no_growth(shop: Shop) -> None:
    await change_container(shop, env=[{"name": "A", "value": "b"}])
    # By the revisions: right after the change the workload's status is still that of the old one.
    await shop.snapshot_when(lambda s: {r.number: r.ready_replicas for r in s.revisions} == {1: 0, 2: 3})
    (web,) = [n for n in await shop.reader.neighbours("shop") if n.ref == WEB.ref]
    assert (web.replicas_before, web.grown_at) == (None, None)


UNTIL = "opsmend.io/maintenance-until"


@pytest.mark.parametrize(
    ("path", "where"),
    [
        pytest.param(DEPLOYMENT, "Deployment shop/web", id="workload"),
        pytest.param("/api/v1/namespaces/shop", "Namespace shop", id="namespace"),
    ],
)
async def test_maintenance_is_read_from_annotations(shop: Shop, path: str, where: str) -> None:
    notes = {UNTIL: "2026-03-14T16:00:00+01:00", "opsmend.io/maintenance-reason": "token=abcdefgh12345678 " + "x" * 500}
    await shop.patch(path, {"metadata": {"annotations": notes}})
    (window,) = (await shop.reader.snapshot(WEB)).maintenance
    assert str(window.declared_on) == where
    assert window.until is not None
    assert window.until.isoformat() == "2026-03-14T15:00:00+00:00"
    assert "abcdefgh" not in window.reason
    assert len(window.reason) <= 200


@pytest.mark.parametrize(
    "written", ["tomorrow", "2026-03-14T16:00:00", "", "9" * 5000, "9999-12-31T23:59:59-23:59"], ids=lambda text: text[:12]
)
async def test_what_is_no_time_is_kept_as_unreadable(shop: Shop, written: str) -> None:
    await shop.patch("/api/v1/nodes/node-a", {"metadata": {"annotations": {UNTIL: written}}})
    nodes = {node.name: node for node in await shop.reader.nodes()}
    window = nodes["node-a"].maintenance
    assert window is not None
    assert (window.until, len(window.until_text) <= 64) == (None, True)
    assert nodes["node-b"].maintenance is None


def a_job(name: str = "import", **metadata: Any) -> dict[str, Any]:
    template = a_template("import", "shop/job:1")
    template["spec"]["restartPolicy"] = "Never"
    return {"metadata": {"name": name, **metadata}, "spec": {"backoffLimit": 0, "template": template}}


FAILS: Final = {
    "name": "fails",
    "when": {"image": "shop/job"},
    "then": {"effect": "exits", "code": 3, "log": ["no such table"]},
}


async def test_a_failed_job_is_seen_with_its_reason_and_the_words_of_its_pod(shop: Shop) -> None:
    await shop.post("/opsmend-demo/rules", FAILS)
    await shop.post(f"{BATCH}/jobs", a_job())
    seen = await shop.snapshot_when(lambda s: s.job and s.job.given_up, target(Kind.JOB, "import"))
    assert seen.job is not None
    assert (seen.job.failed_reason, seen.job.backoff_limit, seen.job.failed) == ("BackoffLimitExceeded", 0, 1)
    assert "no such table" in seen.pods[0].containers[0].log


async def test_pods_of_a_try_that_was_made_up_for_tell_nothing(shop: Shop) -> None:
    await shop.post("/opsmend-demo/rules", FAILS | {"times": 1})
    job = a_job()
    job["spec"]["backoffLimit"] = 3
    await shop.post(f"{BATCH}/jobs", job)
    seen = await shop.snapshot_when(lambda s: s.job and s.job.complete, target(Kind.JOB, "import"))
    assert [pod.phase for pod in seen.pods] == ["Succeeded"]


async def test_a_later_success_of_its_cron_job_makes_up_for_a_failed_run(shop: Shop) -> None:
    await shop.post("/opsmend-demo/rules", FAILS)
    template = a_job()["spec"]
    cron = {"metadata": {"name": "nightly"}, "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": template}}}
    await shop.post(f"{BATCH}/cronjobs", cron)
    uid = (await shop.get(f"{BATCH}/cronjobs/nightly"))["metadata"]["uid"]
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "uid": uid, "controller": True}
    await shop.post(f"{BATCH}/jobs", a_job("nightly-1", ownerReferences=[owner]))
    of_cron = target(Kind.CRON_JOB, "nightly")
    failed = await shop.snapshot_when(lambda s: s.job and s.job.given_up, of_cron)
    assert failed.job is not None
    assert failed.job.cron_job == of_cron.ref
    assert failed.pods
    await shop.patch(f"{BATCH}/cronjobs/nightly/status", {"status": {"lastSuccessfulTime": "2999-01-01T00:00:00Z"}})
    for asked in (of_cron, target(Kind.JOB, "nightly-1")):
        seen = await shop.reader.snapshot(asked)
        assert seen.job is not None
        assert seen.job.well
        assert seen.pods == ()


CLAIM: Final = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "fast", "resources": {"requests": {"storage": "1Gi"}}},
}


def says(seen: Snapshot, words: str) -> bool:
    return any(words in event.message for event in seen.events)


async def test_a_pending_claim_is_seen_with_its_events_its_pods_and_the_classes(shop: Shop) -> None:
    await shop.post("/apis/storage.k8s.io/v1/storageclasses", {"metadata": {"name": "slow"}, "provisioner": "csi.example.com"})
    await shop.post(f"{CORE}/persistentvolumeclaims", CLAIM)
    template = a_template("db")
    template["spec"]["volumes"] = [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]
    spec = {"selector": {"matchLabels": {"app": "db"}}, "template": template}
    await shop.post(f"{APPS}/deployments", {"metadata": {"name": "db"}, "spec": spec})
    of_claim = target(Kind.PERSISTENT_VOLUME_CLAIM, "data")
    seen = await shop.snapshot_when(
        lambda s: s.storage and s.storage.claims[0].waiting_pods and says(s, '"fast" not found'), of_claim
    )
    assert seen.storage is not None
    (claim,) = seen.storage.claims
    assert (claim.phase, claim.storage_class, claim.requested) == ("Pending", "fast", "1Gi")
    assert [known.name for known in seen.storage.classes or ()] == ["slow"]
    of_workload = await shop.reader.snapshot(target(Kind.DEPLOYMENT, "db"))
    assert says(of_workload, '"fast" not found')
    assert of_workload.storage is not None
    assert of_workload.storage.claims[0].ref == claim.ref


async def test_nobody_asks_for_classes_while_no_claim_waits(shop: Shop) -> None:
    await shop.reader.snapshot(WEB)
    entries = (await shop.http.get("/opsmend-demo/audit", params={"reads": "true"})).json()
    assert not {entry["resource"] for entry in entries} & {"storageclasses.storage.k8s.io", "persistentvolumes"}


async def test_who_changed_the_taints_of_a_node_is_told(shop: Shop) -> None:
    taint = {"spec": {"taints": [{"key": "dedicated", "value": "batch", "effect": "NoSchedule"}]}}
    await as_mia(shop, "/api/v1/nodes/node-a", taint)

    async def look() -> Any:
        found = {node.name: node for node in await shop.reader.nodes()}["node-a"]
        return found if found.taints else None

    node = await eventually(look)
    assert node.taints_changed_by == "mia"
    assert node.taints_changed_at is not None


async def test_a_hostile_name_reads_nothing(shop: Shop) -> None:
    for kind in (Kind.PERSISTENT_VOLUME_CLAIM, Kind.JOB, Kind.HORIZONTAL_POD_AUTOSCALER):
        seen = await shop.reader.snapshot(Target.of("embedded", ObjectRef(kind=kind, namespace="shop", name="../secrets/x")))
        assert not seen.exists
