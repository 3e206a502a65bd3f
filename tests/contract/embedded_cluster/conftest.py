"""An embedded cluster per test, reached through the ordinary client over HTTP."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from kubernetes import client
from tests.contract.embedded_cluster.kube import Kube

from opsmend_cluster.config import ClusterConfig
from opsmend_cluster.server import cluster_in_thread

StartCluster = Callable[..., Kube]
Login = Callable[[str, str], Kube]


@pytest.fixture
def login() -> Iterator[Login]:
    """Clients for a URL and a token."""
    with ExitStack() as stack:

        def connect(url: str, token: str = "") -> Kube:
            settings = client.Configuration(host=url)
            settings.retries = False
            if token:
                settings.api_key = {"authorization": f"Bearer {token}"}
            return Kube(url, stack.enter_context(client.ApiClient(settings)))

        yield connect


@pytest.fixture
def start(login: Login) -> Iterator[StartCluster]:
    """Start a cluster with a configuration given as its data."""
    with ExitStack() as stack:

        def begin(**config: object) -> Kube:
            url = stack.enter_context(cluster_in_thread(ClusterConfig.model_validate(config)))
            return login(url, "")

        yield begin


@pytest.fixture
def kube(start: StartCluster) -> Kube:
    """A cluster as it comes."""
    return start()
