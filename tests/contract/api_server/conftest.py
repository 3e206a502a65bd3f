"""Each test twice, in a namespace of its own: on an embedded cluster and on the real one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.api_server.answers import answer_of
from tests.contract.api_server.embedded_side import EmbeddedCluster, embedded_cluster
from tests.contract.api_server.real_side import real_side
from tests.contract.api_server.sides import Side
from tests.contract.embedded_cluster.kube import Kube


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedCluster]:
    with embedded_cluster() as found:
        yield found


@pytest.fixture(params=["embedded", "real"])
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Side]:
    if request.param == "real":
        with real_side(tmp_path) as real:
            yield real
        return
    cluster: EmbeddedCluster = request.getfixturevalue("embedded")
    with cluster.side(tmp_path) as found:
        yield found


@pytest.fixture
def kube(side: Side) -> Kube:
    return side.kube


@pytest.fixture
def aged(kube: Kube) -> Kube:
    """A real cluster forgets its first versions five to ten minutes after it was made."""
    secrets = f"/api/v1/namespaces/{kube.namespace}/secrets"
    first = answer_of(kube, "GET", secrets, resourceVersion=1, resourceVersionMatch="Exact", limit=1)
    if first.status != 410:
        pytest.skip("the real cluster is too young to have forgotten its first version")
    return kube
