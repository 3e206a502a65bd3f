"""A configuration that was edited in place goes back to what its workload was last seen to run well with."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from tests.integration.outside.cluster import Cluster, a_cluster
from tests.integration.outside.opsmend import CLUSTER, Opsmend, opsmend_up
from tests.integration.outside.waiting import eventually

from opsmend.adapters.artifacts.last_good import FileLastGood
from opsmend.adapters.artifacts.store import FileArtifacts
from opsmend.domain.last_good import LastGoodContent
from opsmend.domain.target import Kind, ObjectRef

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

SECRET: Final = "hunter2hunter2"
GOOD: Final = """\
server {
    listen 8080;
    location = /healthz {
        return 204;
    }
}
"""
BROKEN: Final = GOOD.replace("listen 8080", "lissten 8080")
DATA: Final = {"default.conf": GOOD, "db.env": f"DB_PASSWORD={SECRET}\n", "banner.txt": "welcome\n"}

NGINX: Final[dict[str, Any]] = {
    "image": "nginx:1.27.1",
    "volumeMounts": [{"name": "conf", "mountPath": "/etc/nginx/conf.d"}],
    "pod": {"volumes": [{"name": "conf", "configMap": {"name": "web-conf"}}]},
}


READS_NGINX: Final = {"name": "nginx", "when": {"image": "^nginx:"}, "then": {"effect": "reads_nginx_configuration"}}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """Of its own: the protected namespaces are those of other files as well."""
    async with a_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def opsmend(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> AsyncIterator[Opsmend]:
    watching = {
        "OPSMEND_LAST_GOOD__NAMESPACES": "edited, kube-system",
        "OPSMEND_LAST_GOOD__INTERVAL": "PT1S",
        "OPSMEND_LAST_GOOD__STEADY_AFTER": "PT0S",
    }
    await cluster.add_rule(READS_NGINX)
    async with opsmend_up(tmp_path_factory.mktemp("opsmend"), cluster.kubeconfig, watching) as running:
        yield running


def config_path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps/web-conf"


async def run_web(cluster: Cluster, namespace: str) -> None:
    await cluster.http.post("/api/v1/namespaces", json={"metadata": {"name": namespace}})
    config = {"metadata": {"name": "web-conf"}, "data": DATA}
    await cluster.create(f"/api/v1/namespaces/{namespace}/configmaps", config)
    await cluster.deploy(namespace, **NGINX)


async def edit_and_restart(cluster: Cluster, namespace: str, change: dict[str, Any]) -> None:
    await cluster.patch(config_path(namespace), {"data": change})
    (await cluster.http.delete(f"/api/v1/namespaces/{namespace}/pods")).raise_for_status()


async def kept(opsmend: Opsmend, cluster: Cluster, namespace: str) -> LastGoodContent | None:
    """What is on disk, as another process reads it."""
    last_good = FileLastGood(opsmend.data_dir / "last-good", CLUSTER, FileArtifacts(opsmend.data_dir / "artifacts"))
    uid = (await cluster.get(config_path(namespace)))["metadata"]["uid"]
    return await last_good.newest(ObjectRef(kind=Kind.CONFIG_MAP, namespace=namespace, name="web-conf"), uid)


def files_with(folder: Path, text: str) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def changed_lines(diff: str) -> list[str]:
    return [line for line in diff.splitlines() if line[:1] in "+-" and not line.startswith(("+++", "---"))]


async def test_an_edit_in_place_is_taken_back_exactly_and_the_workload_heals(opsmend: Opsmend, cluster: Cluster) -> None:
    await run_web(cluster, "edited")
    good = await eventually(lambda: kept(opsmend, cluster, "edited"), "the record of edited/web-conf", 60)
    assert good.content.data == {"default.conf": GOOD, "banner.txt": "welcome\n"}
    assert list(good.content.left_out) == ["db.env"]

    await edit_and_restart(cluster, "edited", {"default.conf": BROKEN})
    await cluster.until_failing("edited")
    incident = await opsmend.open("edited")
    asking = await opsmend.asking(incident)
    restore, restart = asking["plan"]["actions"]
    assert (restore["type"], restore["target"]["name"], restart["type"]) == ("patch_config", "web-conf", "restart_workload")
    assert [line.split() for line in changed_lines(restore["diff"])] == [["-", "lissten", "8080;"], ["+", "listen", "8080;"]]
    assert "last known good" in restore["reason"]
    edits = [c for c in asking["changes"] if c["object"]["kind"] == "ConfigMap" and "data" in c["what"]]
    assert edits, asking["changes"]

    await opsmend.approve(incident)
    closed = await opsmend.closed(incident)
    assert closed["outcome"] == "remediated", closed["closing"]
    assert (await cluster.get(config_path("edited")))["data"] == DATA
    await cluster.until_ready("edited")
    assert await cluster.mutations("edited") == [("patch", "configmaps/web-conf"), ("patch", "deployments/web")]


@pytest.mark.safety
async def test_a_secret_in_a_config_map_never_reaches_the_disk(opsmend: Opsmend, cluster: Cluster) -> None:
    assert (await cluster.get(config_path("edited")))["data"]["db.env"] == DATA["db.env"]
    assert await asyncio.to_thread(files_with, opsmend.data_dir, SECRET) == []
    assert await asyncio.to_thread(files_with, opsmend.data_dir / "artifacts", "banner.txt")


async def test_a_namespace_that_nobody_named_is_not_kept_and_its_edit_is_for_a_person(
    opsmend: Opsmend, cluster: Cluster
) -> None:
    await run_web(cluster, "unwatched")
    await edit_and_restart(cluster, "unwatched", {"default.conf": BROKEN})
    await cluster.until_failing("unwatched")
    closed = await opsmend.closed(await opsmend.open("unwatched"))
    assert (closed["outcome"], closed["diagnosis"]["category"]) == ("escalated", "broken_configuration")
    assert await kept(opsmend, cluster, "unwatched") is None


async def test_a_protected_namespace_is_not_kept_even_where_it_is_named(opsmend: Opsmend, cluster: Cluster) -> None:
    await run_web(cluster, "kube-system")
    before = await kept(opsmend, cluster, "edited")

    async def looked_again() -> bool | None:
        now = await kept(opsmend, cluster, "edited")
        return True if before and now and now.looked_at > before.looked_at else None

    await eventually(looked_again, "another look at the watched namespaces", 30)
    assert await kept(opsmend, cluster, "kube-system") is None
