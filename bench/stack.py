"""The processes that are measured: Temporal, the API, workers. Each ends with the stack it was started on."""

import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psutil
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from bench.alerts import CLUSTER
from opsmend.adapters.temporal.connection import connect
from opsmend.embedded.processes import Part, free_port, start_part
from opsmend.embedded.temporal_server import start_temporal

API_TOKEN: Final = "bench-api-token-on-loopback-only"
_OPERATOR_TOKEN: Final = "bench-operator-token-on-loopback-only"

_A_DAY: Final = "P1D"


@dataclass(frozen=True)
class Server:
    """A Temporal server of its own, so that no phase pays for what another left behind."""

    address: str
    client: Client
    process: psutil.Process
    data_dir: Path


@dataclass(frozen=True)
class Api:
    port: int
    process: psutil.Process


async def temporal(stack: AsyncExitStack, data_dir: Path) -> Server:
    started = await start_temporal(data_dir)
    stack.push_async_callback(started.part.stop)
    client = await connect(started.address, "default")
    return Server(started.address, client, psutil.Process(started.part.process.pid), data_dir)


async def api(stack: AsyncExitStack, server: Server) -> Api:
    """The API as `opsmend api` starts it. Its incidents gather siblings for a day, so that they stay open without agents."""
    port = free_port()
    env = {
        "TEMPORAL_ADDRESS": server.address,
        "OPSMEND_API_TOKEN": API_TOKEN,
        "OPSMEND_OPERATOR_TOKEN": _OPERATOR_TOKEN,
        "OPSMEND_KUBERNETES__CLUSTER": CLUSTER,
        "OPSMEND_INCIDENT__INTAKE_WINDOW": _A_DAY,
        "OPSMEND_DATA_DIR": str(server.data_dir / "api"),
    }
    part = await _part(stack, server, "api", [sys.executable, "-m", "opsmend.cli", "api", "--port", str(port)], env)
    async with httpx.AsyncClient(trust_env=False) as http:
        await part.ready(lambda: _answers(http, f"http://127.0.0.1:{port}/readyz"))
    return Api(port, psutil.Process(part.process.pid))


async def worker(
    stack: AsyncExitStack, server: Server, kind: str, queues: Mapping[str, TaskQueueType.ValueType]
) -> psutil.Process:
    """A worker process of bench/worker_process.py, ready when it polls `queues`."""
    env = {"TEMPORAL_ADDRESS": server.address, "OPSMEND_BENCH_QUESTIONS": str(questions_path(server))}
    part = await _part(stack, server, kind, [sys.executable, "-m", "bench.worker_process", kind], env)
    await part.ready(lambda: _polls(server.client, part.process.pid, queues))
    return psutil.Process(part.process.pid)


def questions_path(server: Server) -> Path:
    """Where worker processes write which plan is being asked about; see bench/questions.py."""
    return server.data_dir / "questions"


async def _part(stack: AsyncExitStack, server: Server, name: str, argv: list[str], env: Mapping[str, str]) -> Part:
    part = await start_part(name, argv, server.data_dir / "logs", env)
    stack.push_async_callback(part.stop)
    return part


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


async def _polls(client: Client, pid: int, queues: Mapping[str, TaskQueueType.ValueType]) -> bool:
    """Whether the process asks Temporal for work: an SDK worker names itself `<pid>@<host>`."""
    for queue, kind in queues.items():
        asked = DescribeTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind)
        described = await client.workflow_service.describe_task_queue(asked)
        if not any(poller.identity.startswith(f"{pid}@") for poller in described.pollers):
            return False
    return True


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time that the process has used so far."""
    times = process.cpu_times()
    return float(times.user + times.system)
