"""A cluster and an `opsmend up` against it for all tests from outside, but for the files that break or set up their own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.integration.outside.cluster import Cluster, a_cluster
from tests.integration.outside.opsmend import Opsmend, opsmend_up


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    async with a_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def opsmend(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> AsyncIterator[Opsmend]:
    async with opsmend_up(tmp_path_factory.mktemp("opsmend"), cluster.kubeconfig) as running:
        yield running
