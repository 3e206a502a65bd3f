"""The embedded cluster: one for all tests, as the real one is, and a namespace for each."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from kubernetes import client
from tests.contract.embedded_cluster.kube import Kube

from opsmend_cluster.api.access import AUDIENCE, Access
from opsmend_cluster.config import ClusterConfig
from opsmend_cluster.server import cluster_in_thread, write_kubeconfig

_AN_HOUR_AGO = -3600
_FAILS_AS_TOLD = {
    "name": "fails as told",
    "when": {"env": [{"name": "FAIL_WITH", "value": "no such host"}]},
    "then": {"effect": "exits", "code": 1, "log": ["FATAL no such host"]},
}
"""What the image of the real side does by itself (lab/images/app.py)."""


@dataclass(frozen=True)
class EmbeddedSide:
    """Implements Side."""

    kube: Kube
    access: Access
    folder: Path
    stack: ExitStack

    def login(self, token: str) -> Kube:
        settings = client.Configuration(host=self.kube.url)
        settings.api_key = {"authorization": f"Bearer {token}"}
        settings.retries = False
        return Kube(self.kube.url, self.stack.enter_context(client.ApiClient(settings)))

    def kubeconfig(self, token: str = "") -> Path:
        return write_kubeconfig(self.folder / "kubeconfig", self.kube.url, token)

    def expired_token(self, account: str) -> str:
        return str(self.access.mint(self.kube.namespace, account, _AN_HOUR_AGO, [AUDIENCE])["token"])

    @contextmanager
    def throttled(self, account: str) -> Iterator[str]:
        """By a fault: it says no to everybody."""
        token = str(self.access.mint(self.kube.namespace, account, 600, [AUDIENCE])["token"])
        self.kube.admin("POST", "faults", {"answer": 429})
        try:
            yield token
        finally:
            self.kube.admin("DELETE", "faults")

    @contextmanager
    def hanging_writes(self) -> Iterator[None]:
        """By a fault."""
        path = f"/namespaces/{self.kube.namespace}/configmaps"
        self.kube.admin("POST", "faults", {"answer": "hang", "method": "POST", "path": path})
        try:
            yield
        finally:
            self.kube.admin("DELETE", "faults")


@dataclass(frozen=True)
class EmbeddedCluster:
    url: str
    access: Access

    @contextmanager
    def side(self, folder: Path) -> Iterator[EmbeddedSide]:
        with ExitStack() as stack:
            settings = client.Configuration(host=self.url)
            settings.retries = False
            kube = Kube(self.url, stack.enter_context(client.ApiClient(settings)), f"contract-{uuid4().hex[:8]}")
            kube.core.create_namespace({"metadata": {"name": kube.namespace}})
            try:
                yield EmbeddedSide(kube, self.access, folder, stack)
            finally:
                kube.core.delete_namespace(kube.namespace)


@contextmanager
def embedded_cluster() -> Iterator[EmbeddedCluster]:
    config = ClusterConfig.model_validate({"rules": [*ClusterConfig().rules, _FAILS_AS_TOLD]})
    with cluster_in_thread(config) as url:
        yield EmbeddedCluster(url, config.access)
