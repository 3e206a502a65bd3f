"""The ServiceAccounts of deploy/rbac, and a kubeconfig for each agent: nobody here works with an administrator's rights."""

import asyncio
from pathlib import Path
from typing import Any, Final

import yaml

from lab.kube import Kube
from tests.drills.kubernetes import Kubernetes

RBAC: Final = Path(__file__).parents[2] / "deploy" / "rbac"
AGENTS: Final = ("sre", "architect", "security", "deployment")
HOME: Final = "opsmend"
"""The namespace of opsmend's own accounts."""


async def grant(admin: Kubernetes, kube: Kube, folder: Path) -> dict[str, Path]:
    """Apply the shipped rights; agent → kubeconfig with a token of its account, good for the length of the drills."""
    for manifest in ("opsmend.yaml", "nodes.yaml"):
        await asyncio.to_thread(kube.apply, RBAC / manifest)
    found = {}
    for agent in AGENTS:
        path = f"/api/v1/namespaces/{HOME}/serviceaccounts/opsmend-{agent}/token"
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 4 * 3600}}
        answer = await admin.create(path, request)
        found[agent] = folder / f"{agent}.kubeconfig"
        found[agent].touch(mode=0o600)
        found[agent].write_text(yaml.safe_dump(_with_token(kube.kubeconfig, answer["status"]["token"])))
    return found


async def let_mend(kube: Kube, namespace: str) -> None:
    """What a team does to let opsmend change things in its namespace (deploy/rbac/README.md)."""
    await asyncio.to_thread(kube.apply, RBAC / "namespace.yaml", namespace=namespace)


def _with_token(kubeconfig: Path, token: str) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    return config
