"""The accounts of deploy/rbac on the real cluster, each with a token of its own."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import yaml

from lab.kube import Kube
from opsmend.adapters.kubernetes.rbac import EXECUTOR, HOME
from opsmend.adapters.kubernetes.rights import AGENTS
from tests.drills.audit.rights_used import MANIFESTS
from tests.escapes.calls import Request, request

NAMES: Final = (*(f"opsmend-{agent}" for agent in AGENTS), EXECUTOR, f"{EXECUTOR}-nodes")


@dataclass(frozen=True)
class Grounds:
    """`own` and `other` are namespaces in which opsmend may mend, `shut` is one in which nobody let it."""

    own: str
    other: str
    shut: str
    clients: dict[str, httpx.Client]
    """By account; the executor's is that of `own`."""

    def answer(self, account: str, asked: Request) -> httpx.Response:
        return self.clients[account].request(
            asked.method, asked.path, params=asked.query, json=asked.body, headers=asked.headers
        )

    def code(self, account: str, asked: Request) -> int:
        return self.answer(account, asked).status_code


@contextmanager
def prepared(kubeconfig: Path) -> Iterator[Grounds]:
    """The shipped manifests, applied; the namespaces go afterwards."""
    kube = Kube(kubeconfig)
    own, other, shut = (f"escapes-{uuid4().hex[:8]}" for _ in range(3))
    with ExitStack() as stack:
        admin = stack.enter_context(_client(kubeconfig))
        for namespace in (own, other, shut):
            admin.post("/api/v1/namespaces", json={"metadata": {"name": namespace}}).raise_for_status()
            stack.callback(admin.delete, f"/api/v1/namespaces/{namespace}")
        for manifest in ("opsmend.yaml", "nodes.yaml"):
            kube.apply(MANIFESTS / manifest)
        for namespace in (own, other):
            kube.apply(MANIFESTS / "namespace.yaml", namespace=namespace)
        secret = {"metadata": {"name": "password"}, "stringData": {"password": "hunter2"}}
        admin.post(f"/api/v1/namespaces/{own}/secrets", json=secret).raise_for_status()
        clients = {}
        for account in NAMES:
            asked = request("create", "serviceaccounts/token", own if account == EXECUTOR else HOME, account)
            made = admin.post(asked.path, json=asked.body).raise_for_status().json()
            clients[account] = stack.enter_context(_client(kubeconfig, made["status"]["token"]))
        yield Grounds(own, other, shut, clients)


def _client(kubeconfig: Path, token: str = "") -> httpx.Client:
    """Of the administrator, or of whoever holds `token`."""
    config: dict[str, Any] = yaml.safe_load(kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    return httpx.Client(
        base_url=cluster["server"],
        verify=ssl.create_default_context(cafile=cluster["certificate-authority"]),
        headers={"Authorization": f"Bearer {token or config['users'][0]['user']['token']}", "User-Agent": "escapes"},
        timeout=20,
        trust_env=False,
    )
