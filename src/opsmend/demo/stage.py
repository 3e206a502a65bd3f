"""What the demo plays on: the embedded cluster with its shop, and everything that `opsmend up` runs."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from opsmend.console.client import OpsmendApi
from opsmend.console.connection import Connection
from opsmend.embedded.processes import free_port, start_part
from opsmend.embedded.up import Stack, start_stack
from opsmend.settings import Settings


@dataclass(frozen=True)
class Stage:
    stack: Stack
    cluster_url: str
    kubeconfig: Path
    api: OpsmendApi

    async def mutations(self, name: str) -> list[dict[str, Any]]:
        """What the cluster's own audit log says that opsmend changed on the object `name`."""
        return await self._audit(name, {"mutations": "true"})

    async def rehearsals(self, name: str) -> list[dict[str, Any]]:
        """Dry runs and changes that opsmend has sent for the object `name`."""
        return await self._audit(name, {})

    async def _audit(self, name: str, query: dict[str, str]) -> list[dict[str, Any]]:
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"{self.cluster_url}/opsmend-demo/audit", params=query)
        return [e for e in answer.json() if e["field_manager"] == "opsmend" and e["name"] == name]


@asynccontextmanager
async def set_stage(data_dir: Path) -> AsyncIterator[Stage]:
    """Everything up and answering; on leaving everything ends.

    Raises:
        PartFailedError: a part did not come up.
    """
    url_file, kubeconfig = data_dir / "cluster.url", data_dir / "kubeconfig"
    url_file.unlink(missing_ok=True)
    cluster = await start_part(
        "cluster",
        [
            *(sys.executable, "-m", "opsmend.demo.cluster", "--seed-shop"),
            *("--ready-file", str(url_file), "--kubeconfig", str(kubeconfig)),
        ],
        data_dir / "logs",
    )

    async def seeded() -> bool:
        return url_file.exists()

    stack: Stack | None = None
    watching: asyncio.Task[None] | None = None
    try:
        await cluster.ready(seeded)
        settings = Settings().model_copy(update={"data_dir": data_dir})
        stack = await start_stack(settings, free_port(8080), _demo_env(kubeconfig))
        watching = asyncio.create_task(stack.watch())
        connection = Connection(api=stack.api_url, operator_token=SecretStr(stack.operator_token))
        yield Stage(stack, url_file.read_text().strip(), kubeconfig, OpsmendApi(connection))
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
