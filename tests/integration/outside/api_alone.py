"""`opsmend api` alone, beside a Temporal: nobody works on what it takes."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from opsmend.embedded.processes import free_port, start_part
from opsmend.embedded.temporal_server import TemporalServer

ALERTMANAGERS_PATIENCE = 10.0
"""Seconds after which a sender gives up on an answer."""


@asynccontextmanager
async def an_api(server: TemporalServer, data_dir: Path, logs: Path) -> AsyncIterator[httpx.AsyncClient]:
    port = free_port()
    env = {
        "TEMPORAL_ADDRESS": server.address,
        "OPSMEND_API_TOKEN": "webhooks-token",
        "OPSMEND_OPERATOR_TOKEN": "operators-token",
        "OPSMEND_DATA_DIR": str(data_dir),
    }
    argv = [sys.executable, "-m", "opsmend.cli", "api", "--port", str(port)]
    part = await start_part("api", argv, logs, env)
    headers = {"Authorization": "Bearer webhooks-token"}
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=ALERTMANAGERS_PATIENCE, headers=headers
    ) as client:

        async def answers() -> bool:
            try:
                return (await client.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        await part.ready(answers)
        try:
            yield client
        finally:
            await part.stop()
