"""What the demo plays on: the embedded cluster with its shop, and everything that `opsmend up` runs."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from pydantic import SecretStr

from opsmend.adapters.milvus.memory import MilvusMemory
from opsmend.api.incident_view import DiagnosisView
from opsmend.console.client import OpsmendApi
from opsmend.console.connection import Connection
from opsmend.embedded.data_directory import DataDirectory
from opsmend.embedded.processes import free_port, start_part
from opsmend.embedded.stack import Stack
from opsmend.embedded.up import start_stack
from opsmend.errors import MemoryUnavailableError
from opsmend.settings import MilvusSettings, Settings

_REMEMBERED_WITHIN: Final = timedelta(seconds=60)
"""It takes two seconds, most of them imports of a worker that has just been started again."""


@dataclass(frozen=True)
class Stage:
    stack: Stack
    cluster_url: str
    kubeconfig: Path
    api: OpsmendApi
    http: httpx.AsyncClient
    """To ask the cluster's audit log, many times a second while the worker is to be killed."""

    async def mutations(self, name: str) -> list[dict[str, Any]]:
        """What the cluster's own audit log says that opsmend changed on the object `name`."""
        return await self._audit(name, {"mutations": "true"})

    async def rehearsals(self, name: str) -> list[dict[str, Any]]:
        """Dry runs and changes that opsmend has sent for the object `name`."""
        return await self._audit(name, {})

    async def until_remembered(self, diagnosis: DiagnosisView) -> None:
        """Wait until memory recalls an incident like this one, as long as a slow machine may take to write it down."""
        memory = MilvusMemory(MilvusSettings(uri=self.stack.env["OPSMEND_MILVUS__URI"]))
        try:
            async with asyncio.timeout(_REMEMBERED_WITHIN.total_seconds()):
                while not await memory.recall(diagnosis.summary, diagnosis.category, limit=1):
                    await asyncio.sleep(0.5)
        except (TimeoutError, MemoryUnavailableError):
            return  # the second incident then tells that it recalled nothing
        finally:
            await memory.close()

    async def _audit(self, name: str, query: dict[str, str]) -> list[dict[str, Any]]:
        answer = await self.http.get(f"{self.cluster_url}/opsmend-demo/audit", params=query)
        return [e for e in answer.json() if e["field_manager"] == "opsmend" and e["name"] == name]


@asynccontextmanager
async def set_stage(settings: Settings, directory: DataDirectory) -> AsyncIterator[Stage]:
    """Everything up and answering; on leaving everything ends.

    Raises:
        PartFailedError: a part did not come up.
    """
    data_dir = directory.path
    url_file, kubeconfig = data_dir / "cluster.url", data_dir / "kubeconfig"
    url_file.unlink(missing_ok=True)
    cluster = await start_part(
        "cluster",
        [
            *(sys.executable, "-m", "opsmend_cluster", "--seed-shop"),
            *("--ready-file", str(url_file), "--kubeconfig", str(kubeconfig)),
        ],
        data_dir / "logs",
        lock=directory.lock,
    )

    async def seeded() -> bool:
        return url_file.exists()

    stack: Stack | None = None
    watching: asyncio.Task[None] | None = None
    try:
        await cluster.ready(seeded)
        stack = await start_stack(settings, directory, free_port(8080), _demo_env(kubeconfig))
        watching = asyncio.create_task(stack.watch())
        connection = Connection(api=stack.api_url, operator_token=SecretStr(stack.operator_token))
        async with httpx.AsyncClient(trust_env=False) as http:
            yield Stage(stack, url_file.read_text().strip(), kubeconfig, OpsmendApi(connection), http)
    finally:
        if stack:
            await stack.stop()
        if watching:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        await cluster.stop()


def _demo_env(kubeconfig: Path) -> dict[str, str]:
    """A quicker tempo than production's, unless the environment says otherwise."""
    tempo = {
        "OPSMEND_KUBERNETES__CLUSTER": "demo",
        "OPSMEND_INCIDENT__INTAKE_WINDOW": "PT1S",
        "OPSMEND_INCIDENT__VERIFY_INTERVAL": "PT1S",
        "OPSMEND_INCIDENT__VERIFY_DEADLINE": "PT2M",
    }
    return {**{key: value for key, value in tempo.items() if key not in os.environ}, "KUBECONFIG": str(kubeconfig)}
