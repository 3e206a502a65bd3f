"""`opsmend up`: Temporal, Milvus Lite, the workers and the API as one process tree."""

import asyncio
import json
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import httpx
from pydantic import SecretStr
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from opsmend.adapters.artifacts.directories import private_directory
from opsmend.adapters.milvus.server import milvus_command
from opsmend.agents import queues
from opsmend.console.connection import Connection, read_connection, write_connection
from opsmend.embedded.data_directory import DataDirectory
from opsmend.embedded.processes import Part, free_port, listens, start_part
from opsmend.embedded.stack import Stack
from opsmend.embedded.temporal_server import keep_histories, start_temporal
from opsmend.settings import Settings

_POLLED: Final = (
    (queues.WORKFLOWS, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
    (queues.SRE, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
    (queues.DEPLOYMENT, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
    (queues.CONNECTORS, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
)

_OPSMEND: Final = (sys.executable, "-m", "opsmend.cli")


async def start_stack(
    settings: Settings, directory: DataDirectory, port: int, extra_env: Mapping[str, str] | None = None
) -> Stack:
    """Start all parts and wait until each answers. `extra_env` goes to the API and the workers.

    Raises:
        PartFailedError: a part did not come up; what had started is stopped again.
        SettingsError: what an earlier start left in `directory` cannot be read.
    """
    ports = _Ports.for_api_at(port, settings)
    stack = _planned(settings, directory, ports)
    stack.env |= extra_env or {}
    logs, lock = directory.path / "logs", directory.lock

    async def temporal() -> Part:
        started = await start_temporal(
            directory.path,
            port=ports.temporal,
            ui_port=ports.temporal_ui,
            metrics_port=ports.temporal_metrics,
            namespaces=(settings.temporal_namespace,),
            lock=lock,
        )
        await keep_histories(started.address, settings.temporal_namespace, settings.temporal.retention)
        return started.part

    async def milvus() -> Part:
        files = private_directory(directory.path / "milvus")
        part = await start_part("milvus", milvus_command(files, ports.milvus), logs, lock=lock)
        await part.ready(lambda: listens(ports.milvus))
        return part

    async def worker() -> Part:
        part = await start_part("worker", [*_OPSMEND, "worker"], logs, stack.env, lock=lock)
        client = await Client.connect(stack.temporal_address, namespace=settings.temporal_namespace, lazy=True)
        await part.ready(lambda: _polls(client, part.process.pid))
        return part

    async def api() -> Part:
        instance = secrets.token_hex(16)
        env = stack.env | {"OPSMEND_INSTANCE": instance}
        part = await start_part("api", [*_OPSMEND, "api", "--port", str(port)], logs, env, lock=lock)
        async with httpx.AsyncClient(base_url=stack.api_url, trust_env=False) as http:
            await part.ready(lambda: _answers(http, instance))
        return part

    if not settings.temporal_address:
        stack.starters["temporal"] = temporal
    if not settings.milvus.uri:
        stack.starters["milvus"] = milvus
    stack.starters |= {"worker": worker, "api": api}
    await _start_all(stack)
    write_connection(
        directory.path,
        Connection(
            api=stack.api_url,
            api_token=SecretStr(stack.api_token),
            operator_token=SecretStr(stack.operator_token),
            temporal_address=stack.temporal_address,
        ),
    )
    targets = {"api": port, "worker": ports.worker_metrics, "temporal": ports.temporal_metrics}
    if settings.temporal_address:
        del targets["temporal"]
    _write_scrape_targets(directory.path / "metrics.json", targets)
    return stack


@dataclass(frozen=True)
class _Ports:
    """Where the parts listen."""

    api: int
    worker_metrics: int
    temporal: int
    temporal_ui: int
    temporal_metrics: int
    milvus: int

    @classmethod
    def for_api_at(cls, port: int, settings: Settings) -> Self:
        """Free ones for all others. Well-known ports would be a race: of two that start at once the second would take the first
        one's server for its own."""
        temporal, temporal_ui, temporal_metrics, milvus = (free_port() for _ in range(4))
        return cls(port, settings.metrics.port or free_port(), temporal, temporal_ui, temporal_metrics, milvus)


def _planned(settings: Settings, directory: DataDirectory, ports: _Ports) -> Stack:
    """What will run where, and what its children are told of it. Tokens are those of the last start on this directory, else new
    ones: a restart must not lock Alertmanager out."""
    left = read_connection(directory.path) or Connection(api="")
    api_token, operator_token = (
        (given or kept or SecretStr(secrets.token_urlsafe(32))).get_secret_value()
        for given, kept in ((settings.api_token, left.api_token), (settings.operator_token, left.operator_token))
    )
    address = settings.temporal_address or f"127.0.0.1:{ports.temporal}"
    ui_url = settings.temporal.ui_url if settings.temporal_address else f"http://127.0.0.1:{ports.temporal_ui}"
    return Stack(
        data_dir=directory.path,
        api_url=f"http://127.0.0.1:{ports.api}",
        api_token=api_token,
        operator_token=operator_token,
        temporal_address=address,
        temporal_ui=ui_url,
        env={
            "OPSMEND_DATA_DIR": str(directory.path),
            "OPSMEND_API_TOKEN": api_token,
            "OPSMEND_OPERATOR_TOKEN": operator_token,
            "TEMPORAL_ADDRESS": address,
            "TEMPORAL_NAMESPACE": settings.temporal_namespace,
            "OPSMEND_TEMPORAL__UI_URL": ui_url,
            "OPSMEND_MILVUS__URI": settings.milvus.uri or f"http://127.0.0.1:{ports.milvus}",
            "OPSMEND_METRICS__PORT": str(ports.worker_metrics),
        },
    )


async def _start_all(stack: Stack) -> None:
    """Temporal first, as the others ask it for work. On any failure, whatever has started is stopped again."""
    try:
        if "temporal" in stack.starters:
            await stack.start("temporal")
        async with asyncio.TaskGroup() as starting:
            for name in stack.starters:
                if name != "temporal":
                    starting.create_task(stack.start(name))
    except BaseExceptionGroup as failures:
        await stack.stop()
        raise failures.exceptions[0] from failures
    except BaseException:
        await stack.stop()
        raise


def _write_scrape_targets(path: Path, ports: Mapping[str, int]) -> None:
    """Where metrics are, in the form of Prometheus' file_sd_configs."""
    targets = [{"targets": [f"127.0.0.1:{port}"], "labels": {"part": name}} for name, port in ports.items()]
    path.write_text(json.dumps(targets, indent=2) + "\n")


async def _answers(http: httpx.AsyncClient, instance: str) -> bool:
    """Whether the API that was started as `instance` answers there, not another process, and takes alerts."""
    try:
        lives = await http.get("/healthz")
        if lives.status_code != httpx.codes.OK or lives.json().get("instance") != instance:
            return False
        return (await http.get("/readyz")).status_code == httpx.codes.OK
    except (httpx.TransportError, ValueError, AttributeError):  # the last two: what answers is no API of ours
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
