"""What the tests from outside share: a cluster and an `opsmend up` against it, one of each a file."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.integration.outside.cluster import Cluster, a_cluster
from tests.integration.outside.opsmend import Opsmend, opsmend_up


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    async with a_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opsmend(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> AsyncIterator[Opsmend]:
    async with opsmend_up(tmp_path_factory.mktemp("opsmend"), cluster.kubeconfig) as running:
        yield running
