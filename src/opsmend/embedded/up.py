"""`opsmend up`: Temporal, Milvus Lite, the workers and the API as one process tree; a part that dies is started again."""

import asyncio
import json
import secrets
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx
import structlog
from pydantic import SecretStr
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from opsmend.adapters.artifacts.directories import data_directory, private_directory
from opsmend.adapters.milvus.server import milvus_command
from opsmend.agents import queues
from opsmend.console.connection import Connection, write_connection
from opsmend.embedded.processes import Part, PartFailedError, free_port, listens, start_part
from opsmend.embedded.temporal_server import start_temporal
from opsmend.errors import bounded
from opsmend.settings import Settings

log = structlog.get_logger()

_BREATHER: Final = timedelta(seconds=1)
"""Between the death of a part and its next start, so that a part that cannot live does not spin."""

_POLLED: Final = (
    (queues.WORKFLOWS, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
    (queues.SRE, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
    (queues.DEPLOYMENT, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
    (queues.CONNECTORS, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
)


@dataclass
class Stack:
    """Everything that `up` runs. `env` is what its children are given, and what a client of it needs."""

    data_dir: Path
    api_url: str
    api_token: str
    operator_token: str
    temporal_address: str
    temporal_ui: str
    env: dict[str, str]
    parts: dict[str, Part] = field(default_factory=dict)
    starters: dict[str, Callable[[], Awaitable[Part]]] = field(default_factory=dict)
    stopping: bool = False

    async def start(self, name: str) -> Part:
        self.parts[name] = part = await self.starters[name]()
        return part

    async def watch(self) -> None:
        """Start again whatever dies, until `stop`."""
        await asyncio.gather(*(self._watch(name) for name in self.starters))

    async def _watch(self, name: str) -> None:
        while True:
            code = await self.parts[name].process.wait()
            if self.stopping:
                return
            log.warning("part.died", part=name, code=code, last_words=self.parts[name].last_words())
            await self._start_again(name)

    async def _start_again(self, name: str) -> None:
        """Try until it is up: what it leans on (Temporal, for a worker) may have died with it."""
        while not self.stopping:
            await asyncio.sleep(_BREATHER.total_seconds())
            try:
                await self.start(name)
            except (PartFailedError, OSError) as e:
                log.warning("part.not_started", part=name, reason=bounded(str(e)))
            else:
                return

    async def stop(self) -> None:
        """End everything, the API first so that nothing new is taken."""
        self.stopping = True
        for name in reversed(self.parts):
            await self.parts[name].stop()


async def start_stack(settings: Settings, port: int, extra_env: Mapping[str, str] | None = None) -> Stack:
    """Start all parts and wait until each answers. `extra_env` goes to the API and the workers.

    Raises:
        PartFailedError: a part did not come up; what had started is stopped again.
        SettingsError: the data directory lets others in and cannot be closed.
    """
    data_dir = data_directory(settings.data_dir.resolve())
    kept = _kept_tokens(data_dir)
    api_token = settings.api_token.get_secret_value() if settings.api_token else kept["api_token"]
    operator_token = settings.operator_token.get_secret_value() if settings.operator_token else kept["operator_token"]
    address, ui_url = settings.temporal_address or "", settings.temporal.ui_url
    milvus_port = free_port()
    # Well-known ports would be a race: of two that start at once the second would take the first one's server for its own.
    temporal_ports = (free_port(), free_port())
    if not settings.temporal_address:
        address, ui_url = f"127.0.0.1:{temporal_ports[0]}", f"http://127.0.0.1:{temporal_ports[1]}"
    stack = Stack(
        data_dir=data_dir,
        api_url=f"http://127.0.0.1:{port}",
        api_token=api_token,
        operator_token=operator_token,
        temporal_address=address,
        temporal_ui=ui_url,
        env={
            "OPSMEND_DATA_DIR": str(data_dir),
            "OPSMEND_API_TOKEN": api_token,
            "OPSMEND_OPERATOR_TOKEN": operator_token,
            "TEMPORAL_ADDRESS": address,
            "TEMPORAL_NAMESPACE": settings.temporal_namespace,
            "OPSMEND_TEMPORAL__UI_URL": ui_url,
            "OPSMEND_MILVUS__URI": settings.milvus.uri or f"http://127.0.0.1:{milvus_port}",
            **(extra_env or {}),
        },
    )
    logs = data_dir / "logs"

    async def temporal() -> Part:
        return (await start_temporal(data_dir, port=temporal_ports[0], ui_port=temporal_ports[1])).part

    async def milvus() -> Part:
        files = private_directory(data_dir / "milvus")
        part = await start_part("milvus", milvus_command(files, milvus_port), logs)
        await part.ready(lambda: listens(milvus_port))
        return part

    async def worker() -> Part:
        part = await start_part("worker", [sys.executable, "-m", "opsmend.cli", "worker"], logs, stack.env)
        client = await Client.connect(address, namespace=settings.temporal_namespace, lazy=True)
        await part.ready(lambda: _polls(client, part.process.pid))
        return part

    async def api() -> Part:
        argv = [sys.executable, "-m", "opsmend.cli", "api", "--port", str(port)]
        part = await start_part("api", argv, logs, stack.env)
        await part.ready(lambda: _answers(f"{stack.api_url}/readyz"))
        return part

    if not settings.temporal_address:
        stack.starters["temporal"] = temporal
    if not settings.milvus.uri:
        stack.starters["milvus"] = milvus
    stack.starters |= {"worker": worker, "api": api}
    try:
        if "temporal" in stack.starters:
            await stack.start("temporal")
        await asyncio.gather(*(stack.start(name) for name in stack.starters if name != "temporal"))
    except BaseException:
        await stack.stop()
        raise
    connection = Connection(
        api=stack.api_url, api_token=SecretStr(stack.api_token), operator_token=SecretStr(stack.operator_token)
    )
    write_connection(stack.data_dir, connection)
    return stack


def _kept_tokens(data_dir: Path) -> dict[str, str]:
    """The tokens of the last start on this data directory, else new ones: a restart must not lock Alertmanager out."""
    path = data_dir / "connection.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    return {name: kept.get(name) or secrets.token_urlsafe(32) for name in ("api_token", "operator_token")}


async def _answers(url: str) -> bool:
    async with httpx.AsyncClient(trust_env=False) as http:
        try:
            return (await http.get(url)).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


async def _polls(client: Client, pid: int) -> bool:
    """Whether the process `pid` asks Temporal for work: an SDK worker names itself `<pid>@<host>`."""
    for queue, kind in _POLLED:
        request = DescribeTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind)
        try:
            described = await client.workflow_service.describe_task_queue(request)
        except (RPCError, RuntimeError):  # the SDK's own error for a server that it cannot connect to is a RuntimeError
            return False
        if not any(poller.identity.startswith(f"{pid}@") for poller in described.pollers):
            return False
    return True
