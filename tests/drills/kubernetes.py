"""The real API server, as an administrator and as whoever else holds a token."""

import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

import httpx
import yaml

Json = dict[str, Any]

MERGE: Final = "application/merge-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"


@dataclass(frozen=True)
class Kubernetes:
    """Paths are those of the API, e.g. `/apis/apps/v1/namespaces/shop/deployments/web`."""

    http: httpx.AsyncClient

    async def get(self, path: str, **query: str) -> Json:
        answer = await self.http.get(path, params=query)
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    async def create(self, collection: str, manifest: Json, manager: str = "kubectl-create") -> Json:
        """It may be there already."""
        answer = await self.http.post(collection, json=manifest, params={"fieldManager": manager})
        if answer.status_code == httpx.codes.CONFLICT:
            return await self.get(f"{collection}/{manifest['metadata']['name']}")
        _raise(answer)
        made: Json = answer.json()
        return made

    async def patch(self, path: str, change: Json, *, manager: str = "kubectl-edit", kind: str = STRATEGIC) -> Json:
        answer = await self.http.patch(path, json=change, headers={"Content-Type": kind}, params={"fieldManager": manager})
        _raise(answer)
        changed: Json = answer.json()
        return changed

    async def delete(self, path: str, **options: Any) -> None:
        answer = await self.http.request("DELETE", path, json=options or None)
        if answer.status_code != httpx.codes.NOT_FOUND:
            _raise(answer)


def _raise(answer: httpx.Response) -> None:
    if answer.is_error:
        raise AssertionError(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:600]}")


@asynccontextmanager
async def kubernetes(kubeconfig: Path) -> AsyncIterator[Kubernetes]:
    """With the rights of `kubeconfig`, which has one cluster and one user, and a token or a client certificate."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    headers = {"User-Agent": "drills"} | ({"Authorization": f"Bearer {user['token']}"} if "token" in user else {})
    async with httpx.AsyncClient(
        base_url=cluster["server"], verify=_trust(cluster, user), headers=headers, timeout=20, trust_env=False
    ) as http:
        yield Kubernetes(http)


def _trust(cluster: Json, user: Json) -> ssl.SSLContext:
    authority = cluster.get("certificate-authority-data")
    trust = ssl.create_default_context(
        cafile=cluster.get("certificate-authority"), cadata=base64.b64decode(authority).decode() if authority else None
    )
    if certificate := user.get("client-certificate-data"):
        with NamedTemporaryFile() as pair:  # the standard library takes files alone
            pair.write(base64.b64decode(certificate) + b"\n" + base64.b64decode(user["client-key-data"]))
            pair.flush()
            trust.load_cert_chain(pair.name)
    return trust
