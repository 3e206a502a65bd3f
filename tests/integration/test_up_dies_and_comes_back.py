"""Whatever dies under `opsmend up`, and `up` itself: nothing accepted is lost, nothing is left behind."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import psutil
import pytest
import pytest_asyncio
from tests.integration.outside.cluster import Cluster
from tests.integration.outside.opsmend import Opsmend, alertmanager, is_gone, opsmend_up
from tests.integration.outside.waiting import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300), pytest.mark.safety]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def opsmend(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> AsyncIterator[Opsmend]:
    """Of its own: these tests kill it."""
    async with opsmend_up(tmp_path_factory.mktemp("opsmend"), cluster.kubeconfig) as running:
        yield running


async def broken(cluster: Cluster, namespace: str) -> None:
    await cluster.deploy(namespace)
    await cluster.break_image(namespace)


async def gone(processes: list[psutil.Process]) -> None:
    """Until none of them runs; a worker may drain for ten seconds first."""

    async def look() -> bool | None:
        return True if all(map(is_gone, processes)) else None

    await eventually(look, "every process gone", 20)


async def started_again(opsmend: Opsmend, name: str, old: psutil.Process) -> None:
    async def look() -> bool | None:
        part = opsmend.tree().get(name)
        return True if part is not None and part.pid != old.pid else None

    await eventually(look, f"another {name} process")


async def test_an_alert_is_refused_while_temporal_hangs_and_taken_once_it_is_back(opsmend: Opsmend, cluster: Cluster) -> None:
    await broken(cluster, "hanging")
    temporal = opsmend.tree()["temporal"]
    temporal.suspend()
    async with opsmend.client() as http:
        refused, ready, alive = await asyncio.gather(
            http.post("/v1/alerts/alertmanager", json=alertmanager("hanging")), http.get("/readyz"), http.get("/healthz")
        )
    assert (refused.status_code, ready.status_code, alive.status_code) == (503, 503, 200)
    assert int(refused.headers["Retry-After"]) >= 1

    temporal.kill()
    incident = (await opsmend.alert("hanging"))["id"]
    await started_again(opsmend, "temporal", temporal)
    await opsmend.approve(incident)
    assert (await opsmend.closed(incident))["outcome"] == "remediated"
    assert await cluster.mutations("hanging") == [("patch", "deployments/web")]


async def test_worker_and_temporal_killed_at_once_both_come_back(opsmend: Opsmend, cluster: Cluster) -> None:
    await broken(cluster, "twice")
    incident = await opsmend.open("twice")
    await opsmend.asking(incident)
    tree = opsmend.tree()
    for name in ("temporal", "worker", "milvus"):
        tree[name].kill()
    for name in ("temporal", "worker", "milvus"):
        await started_again(opsmend, name, tree[name])

    async def approved() -> bool | None:
        asking = await opsmend.asking(incident)
        try:
            answer = await opsmend.decide(incident, plan_hash=asking["plan"]["hash"], decision="approve")
        except httpx.TransportError:
            return None
        return True if answer.status_code == 200 else None

    await eventually(approved, "the decision taken")
    closed = await opsmend.closed(incident)
    assert closed["outcome"] == "remediated", closed["closing"]
    assert await cluster.mutations("twice") == [("patch", "deployments/web")]

    worker = opsmend.tree()["worker"]
    worker.kill()
    await started_again(opsmend, "worker", worker)


async def test_an_open_question_survives_the_death_of_everything(opsmend: Opsmend, cluster: Cluster) -> None:
    await broken(cluster, "survivor")
    incident = await opsmend.open("survivor")
    before = await opsmend.asking(incident)
    tree = opsmend.tree()
    assert {"up", "temporal", "milvus", "worker", "api"} <= tree.keys()
    tree["up"].kill()
    await gone(list(tree.values()))
    assert opsmend.process is not None
    await opsmend.process.wait()

    await opsmend.start()
    after = await opsmend.incident(incident)
    assert (after["status"], after["run_id"]) == ("awaiting_approval", before["run_id"])
    assert after["plan"] == before["plan"]
    assert await opsmend.alert("survivor") == {"id": incident, "created": False}
    await opsmend.approve(incident)
    assert (await opsmend.closed(incident))["outcome"] == "remediated"
    assert await cluster.mutations("survivor") == [("patch", "deployments/web")]


async def test_everything_ends_with_it_in_the_middle_of_work_too(opsmend: Opsmend, cluster: Cluster) -> None:
    """The worker cannot tell what it was doing: Temporal is gone as well. After a moment it stops trying."""
    await broken(cluster, "midway")
    never_answered = {"answer": "hang", "method": "GET", "path": "midway/deployments/web$", "requests": 1}
    await cluster.create("/opsmend-demo/faults", never_answered)
    incident = await opsmend.open("midway")

    async def looking() -> bool | None:
        (fault,) = [f for f in await cluster.get("/opsmend-demo/faults") if f["path"] == never_answered["path"]]
        return fault["hits"] == 1 or None

    await eventually(looking, "a look at the cluster that takes for ever")
    tree = opsmend.tree()
    tree["up"].kill()
    await gone(list(tree.values()))
    assert opsmend.process is not None
    await opsmend.process.wait()

    await opsmend.start()
    await opsmend.asking(incident)


async def test_told_to_end_it_ends_with_everything_it_started(opsmend: Opsmend) -> None:
    tree = opsmend.tree()
    assert await opsmend.stop() == 0
    await gone(list(tree.values()))
