"""API, workers and Temporal as processes of their own, each of which may be of another version."""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.service import RPCError
from tests.integration.outside.opsmend import Opsmend
from tests.integration.outside.waiting import eventually

from opsmend.embedded.processes import Part, free_port, start_part
from opsmend.embedded.temporal_server import start_temporal

WORKFLOW_TASK_FAILED: Final = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
_READY: Final = '"event": "worker.ready"'
_PATIENCE: Final = timedelta(minutes=5)
"""A process takes five seconds to start; the machine may have much else to do."""

THIS_VERSION: Final = ("-m", "opsmend.cli")


def next_version(*models: str) -> tuple[str, ...]:
    """The version after this one, which has one more field in these `models`: see next_version.py."""
    return ("-m", "tests.integration.outside.next_version", ",".join(models))


def broken_version(mistake: str) -> tuple[str, ...]:
    """A version with a mistake in its workflow code: see broken_version.py."""
    return ("-m", "tests.integration.outside.broken_version", mistake)


@dataclass
class Parts:
    """`http` is the same way in as that of `opsmend up`."""

    http: Opsmend
    temporal: str
    running: dict[str, Part] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        return self.http.env | {"TEMPORAL_ADDRESS": self.temporal, "OPSMEND_DATA_DIR": str(self.http.data_dir)}

    async def api(self, version: Sequence[str] = THIS_VERSION) -> None:
        part = await self._replace("api", version, "api", "--port", str(self.http.port))

        async def answers() -> bool:
            try:
                async with self.http.client() as http:
                    return (await http.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        await part.ready(answers, _PATIENCE)

    async def worker(self, *roles: str, version: Sequence[str] = THIS_VERSION) -> None:
        """A worker of `roles`, in place of the one that had them before."""
        name = "+".join(roles)
        part = await self._replace(name, version, "worker", *(word for role in roles for word in ("--role", role)))
        before = part.log.read_text().count(_READY)

        async def ready() -> bool:
            return part.log.read_text().count(_READY) > before

        await part.ready(ready, _PATIENCE)

    async def _replace(self, name: str, version: Sequence[str], *arguments: str) -> Part:
        if name in self.running:
            await self.running[name].stop()
        argv = [sys.executable, *version, *arguments]
        self.running[name] = part = await start_part(name, argv, self.http.folder / "logs", self.env)
        return part

    async def why_it_waits(self, workflow_id: str) -> str:
        """Why the workflow's task fails, as the Temporal UI shows it."""
        handle = (await Client.connect(self.temporal)).get_workflow_handle(workflow_id)

        async def look() -> str | None:
            try:
                events = (await handle.fetch_history()).events
            except RPCError:  # it has not begun yet
                return None
            failed = [e.workflow_task_failed_event_attributes for e in events if e.event_type == WORKFLOW_TASK_FAILED]
            return _told(failed[-1].failure) if failed else None

        return await eventually(look, f"a task of {workflow_id} failing")

    async def why_an_activity_waits(self, workflow_id: str) -> str:
        """Why an activity of the workflow is tried again, as the Temporal UI shows it."""
        handle = (await Client.connect(self.temporal)).get_workflow_handle(workflow_id)

        async def look() -> str | None:
            try:
                described = (await handle.describe()).raw_description
            except RPCError:
                return None
            failures = [_told(pending.last_failure) for pending in described.pending_activities]
            return "; ".join(filter(None, failures)) or None

        return await eventually(look, f"an activity of {workflow_id} failing")


def _told(failure: Any) -> str:
    """Its message, and those of its causes."""
    messages = []
    while failure.message:
        messages.append(failure.message)
        failure = failure.cause
    return ": ".join(messages)


@asynccontextmanager
async def separate_parts(folder: Path, kubeconfig: Path) -> AsyncIterator[Parts]:
    """Temporal alone; there is no memory of earlier incidents."""
    folder.mkdir(parents=True, exist_ok=True)
    server = await start_temporal(folder / "temporal", port=free_port(), ui_port=free_port())
    nowhere = {"OPSMEND_MILVUS__URI": "http://127.0.0.1:9", "OPSMEND_MILVUS__TIMEOUT": "PT1S"}
    parts = Parts(Opsmend(folder, kubeconfig, nowhere), server.address)
    try:
        yield parts
    finally:
        for part in parts.running.values():
            part.kill()
            await part.process.wait()
        await server.part.stop()
