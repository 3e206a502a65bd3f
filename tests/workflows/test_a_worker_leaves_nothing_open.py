"""A worker that ends closes what it opened."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.aio.config import kube_config
from temporalio.client import Client

from opsmend.adapters.milvus.memory import MilvusMemory
from opsmend.adapters.prometheus.metrics import PrometheusMetrics
from opsmend.adapters.temporal.payloads import DATA_CONVERTER
from opsmend.agents.queues import Role
from opsmend.settings import MilvusSettings, Settings
from opsmend.worker import worker_for
from tests.workflows.conftest import World


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The adapters in the order in which they were closed."""
    names: list[str] = []
    for adapter in (MilvusMemory, PrometheusMetrics):

        async def close(self: Any) -> None:
            names.append(type(self).__name__)

        monkeypatch.setattr(adapter, "close", close)
    return names


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    kubeconfig = {
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "clusters": [{"name": "test", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "test", "user": {}}],
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    # The client reads KUBECONFIG once, when it is imported.
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "kubeconfig"))
    return Settings(data_dir=tmp_path, prometheus_url="http://127.0.0.1:1", milvus=MilvusSettings(uri="http://127.0.0.1:1"))


@pytest.mark.parametrize(
    ("role", "adapters"), [("sre", ["MilvusMemory", "PrometheusMetrics"]), ("connectors", ["MilvusMemory"])]
)
async def test_connections_are_closed_with_the_worker(
    world: World, settings: Settings, closed: list[str], role: Role, adapters: list[str]
) -> None:
    # A client of its own: one client may not carry two workers of a queue.
    client = await Client.connect(world.client.service_client.config.target_host, data_converter=DATA_CONVERTER)
    async with AsyncExitStack() as stack:
        worker = await stack.enter_async_context(await worker_for(role, settings, client, stack))
        assert closed == []
    assert sorted(closed) == adapters
    assert not worker.is_running
