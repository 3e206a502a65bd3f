"""StatefulSets, DaemonSets, Jobs and pods of nobody are seen and acted on as Deployments are."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.contract.kubernetes.clusters import Shop, a_shop

from opsmend.domain.actions.rollback_workload import RollbackWorkload
from opsmend.domain.execution import StepStatus
from opsmend.domain.target import Kind, Target

GOOD, BAD = "nginx:1.27.1", "nginx:1.27.0"
APPS, BATCH = "/apis/apps/v1/namespaces/shop", "/apis/batch/v1/namespaces/shop"
WORKLOADS = pytest.mark.parametrize(
    ("kind", "plural"), [(Kind.STATEFUL_SET, "statefulsets"), (Kind.DAEMON_SET, "daemonsets")], ids=lambda value: str(value)
)


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with a_shop(tmp_path) as running:
        yield running


def a_template(image: str = GOOD, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "db", "image": image}], **spec}}


def a_workload(kind: Kind) -> dict[str, Any]:
    spec: dict[str, Any] = {"selector": {"matchLabels": {"app": "db"}}, "template": a_template()}
    if kind is Kind.STATEFUL_SET:
        spec |= {"replicas": 2, "serviceName": "db"}
    return {"apiVersion": "apps/v1", "kind": str(kind), "metadata": {"name": "db"}, "spec": spec}


def a_target(kind: Kind, name: str = "db") -> Target:
    return Target(cluster="embedded", kind=kind, namespace="shop", name=name)


@WORKLOADS
async def test_a_rollback_of_another_workload_kind_is_exact_and_can_be_undone(shop: Shop, kind: Kind, plural: str) -> None:
    target, path = a_target(kind), f"{APPS}/{plural}/db"
    await shop.post(f"{APPS}/{plural}", a_workload(kind))
    await shop.snapshot_when(lambda s: len(s.revisions) == 1, target)
    await shop.patch(path, {"spec": {"template": a_template(BAD)}})
    seen = await shop.snapshot_when(lambda s: len(s.revisions) == 2 and s.pods and all(p.ready for p in s.pods), target)
    assert seen.workload is not None
    assert seen.revisions[0].template_digest == seen.workload.template_digest
    assert [(c.path, c.before, c.after) for c in seen.revisions[0].changes] == [("/spec/containers/0/image", GOOD, BAD)]
    names = {revision.name for revision in seen.revisions}
    # The label holds the whole name for a StatefulSet, its hash for a DaemonSet.
    assert {pod.revision_hash for pod in seen.pods} <= names | {name.removeprefix("db-") for name in names}

    older = seen.revisions[1]
    plan = await shop.plan(RollbackWorkload(target=target.ref, revision=older.number, template_digest=older.template_digest))
    (step,), (undo,) = plan.steps, plan.undoing(("1",))
    assert (await shop.writer.dry_run(step, f"{plan.hash}#1")).matches_plan
    assert (await shop.writer.apply(step, f"{plan.hash}#1")).status is StepStatus.APPLIED
    assert (await shop.get(path))["spec"]["template"]["spec"]["containers"][0]["image"] == GOOD
    undone = await shop.writer.undo(undo, f"{plan.hash}#undo-1", f"{plan.hash}#1")
    assert undone.status is StepStatus.APPLIED
    assert (await shop.get(path))["spec"]["template"]["spec"]["containers"][0]["image"] == BAD


async def test_a_job_is_seen_with_its_pods(shop: Shop) -> None:
    template = {**a_template("no-such-image:0"), "spec": {**a_template()["spec"], "restartPolicy": "Never"}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "import"}, "spec": {"template": template}}
    await shop.post(f"{BATCH}/jobs", job)
    target = a_target(Kind.JOB, "import")
    seen = await shop.snapshot_when(lambda s: s.pods, target)
    assert seen.workload is None
    assert [ref.kind for ref in seen.owner_chain] == [Kind.JOB]
    of_pod = await shop.reader.snapshot(a_target(Kind.POD, seen.pods[0].name))
    assert [ref.kind for ref in of_pod.owner_chain] == [Kind.POD, Kind.JOB]


async def test_a_pod_of_nobody_is_its_own_neighbourhood(shop: Shop) -> None:
    volumes = [{"name": "conf", "configMap": {"name": "missing"}}]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lone"}, "spec": a_template(volumes=volumes)["spec"]}
    await shop.post("/api/v1/namespaces/shop/pods", pod)
    seen = await shop.snapshot_when(lambda s: s.pods and s.events, a_target(Kind.POD, "lone"))
    assert [pod.name for pod in seen.pods] == ["lone"]
    assert [(c.ref.name, c.exists) for c in seen.config] == [("missing", False)]
