"""Credentials come from where kubectl finds them, or the person is told what is missing."""

from contextlib import AsyncExitStack
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.contract.kubernetes.clusters import writer_of
from tests.contract.kubernetes.scripted_api import Answer, ScriptedApi, connected

from opsmend.adapters.kubernetes.access import Access, can_i, ping
from opsmend.adapters.kubernetes.connection import connect_cluster
from opsmend.adapters.kubernetes.reader import KubernetesReader
from opsmend.adapters.kubernetes.resources import RESOURCES
from opsmend.adapters.kubernetes.rights import Right
from opsmend.domain.target import Kind, Target
from opsmend.errors import OtherClusterError, SettingsError
from opsmend.settings import KubernetesSettings

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def a_kubeconfig(folder: Path, server: str) -> Path:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "clusters": [{"name": "test", "cluster": {"server": server}}],
        "users": [{"name": "test", "user": {"token": "t0ken"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


async def test_the_kubeconfig_names_the_server_and_the_token(tmp_path: Path) -> None:
    api = ScriptedApi()
    api.on("/version", Answer({"gitVersion": "v1.37.0"}))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.handle)
    async with AsyncExitStack() as stack:
        server = TestServer(app)
        await server.start_server()
        stack.push_async_callback(server.close)
        config = a_kubeconfig(tmp_path, str(server.make_url("")).rstrip("/"))
        connection = await connect_cluster(KubernetesSettings(), stack, config)
        pong = await ping(connection)
    assert pong.version == "v1.37.0"
    assert 0 < pong.latency.total_seconds() < 30
    (_, _, headers) = api.requests[0]
    assert headers["Authorization"] == "Bearer t0ken"
    assert headers["User-Agent"] == f"opsmend/{version('opsmend')}"


@pytest.mark.parametrize("content", [None, "", "not: a: config", "[]", "clusters: 7", "a: [", "\x00"])
async def test_an_unusable_kubeconfig_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    async with AsyncExitStack() as stack:
        with pytest.raises(SettingsError, match="KUBECONFIG"):
            await connect_cluster(KubernetesSettings(), stack, path)


async def test_a_context_that_is_not_there_is_never_replaced_by_another(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        with pytest.raises(SettingsError, match="CONTEXT"):
            await connect_cluster(KubernetesSettings(context="production"), stack, a_kubeconfig(tmp_path, "http://127.0.0.1:1"))


@pytest.mark.parametrize(
    ("status", "access"),
    [
        ({"allowed": True, "reason": "RBAC: allowed"}, Access(True, "RBAC: allowed")),
        ({"allowed": False}, Access(False)),
        ({}, Access(False)),
        ({"allowed": "true"}, Access(False)),
    ],
)
async def test_what_the_server_does_not_clearly_allow_is_not_allowed(status: dict[str, object], access: Access) -> None:
    api = ScriptedApi()
    api.on(REVIEWS, Answer({"status": status}, 201))
    async with connected(api) as connection:
        assert await can_i(connection, Right("patch", RESOURCES[Kind.DEPLOYMENT]), "shop") == access


@pytest.mark.parametrize(
    ("connected_to", "asked"),
    [("prod", "prod"), (None, "prod"), (None, "default")],
    ids=["its own", "unnamed", "unnamed, default"],
)
async def test_the_connected_cluster_is_served(connected_to: str | None, asked: str) -> None:
    async with connected(ScriptedApi(), cluster=connected_to) as connection:
        connection.require_cluster(asked)
        target = Target(cluster=asked, kind=Kind.DEPLOYMENT, namespace="shop", name="web")
        assert not (await KubernetesReader(connection).snapshot(target)).exists


@pytest.mark.parametrize("asked", ["staging", "default", "PROD", ""])
async def test_another_cluster_is_refused_before_anything_is_sent(asked: str) -> None:
    api = ScriptedApi()
    async with connected(api, cluster="prod") as connection:
        target = Target(cluster=asked, kind=Kind.DEPLOYMENT, namespace="shop", name="web")
        with pytest.raises(OtherClusterError, match=f"cluster {asked}, .* prod .*OPSMEND_KUBERNETES__CLUSTER"):
            await KubernetesReader(connection).snapshot(target)
        with pytest.raises(OtherClusterError):
            writer_of(connection).require_cluster(asked)
    assert api.requests == []
