"""`python -m bench.worker_process KIND`: the measured worker processes, ended by SIGTERM.

`workflows` runs workflow code only, `agents` everything else of opsmend over ports in memory, `all` both in one process, and
`plain` what they are held against. The Temporal server is that of TEMPORAL_ADDRESS.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final

import uvloop
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker
from tests.workflows.fakes import (
    ArtifactsInMemory,
    ClusterInMemory,
    LastGoodInMemory,
    MemoryInMemory,
    MetricsInMemory,
    NamespacesInMemory,
)

from bench.plain import PLAIN, PLAIN_ON_OURS, plain_worker
from bench.ports import ManyDeployments
from bench.questions import QuestionsToPipe
from opsmend.adapters.llm.thinker import NoModel
from opsmend.adapters.temporal.change_control import TemporalChangeControl
from opsmend.adapters.temporal.connection import connect
from opsmend.adapters.temporal.desk import TemporalDesk
from opsmend.adapters.temporal.steering import TemporalSteering
from opsmend.agents import queues
from opsmend.agents.sre.last_good import GoodKeeper
from opsmend.domain.budget import Budget
from opsmend.domain.change_control import ChangeLimits
from opsmend.domain.incident import Patience
from opsmend.policy.engine import CedarJudge
from opsmend.worker import (
    architect_worker,
    connectors_worker,
    deployment_worker,
    security_worker,
    sre_worker,
    workflows_worker,
)

NO_LIMITS: Final = ChangeLimits(per_namespace=10**6, per_cluster=10**6, remedies_per_target=10**6)
_WORKFLOW: Final = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
_ACTIVITY: Final = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
_AGENTS: Final = dict.fromkeys((queues.SRE, queues.ARCHITECT, queues.SECURITY, queues.DEPLOYMENT, queues.CONNECTORS), _ACTIVITY)

POLLED: Final[Mapping[str, Mapping[str, TaskQueueType.ValueType]]] = MappingProxyType(
    {
        "workflows": {queues.WORKFLOWS: _WORKFLOW},
        "agents": _AGENTS,
        "all": {queues.WORKFLOWS: _WORKFLOW, **_AGENTS},
        "plain": {PLAIN: _WORKFLOW},
        "plain-on-ours": {PLAIN_ON_OURS: _WORKFLOW},
    }
)
"""What a process of each kind asks Temporal for."""


def workers_for(kind: str, client: Client) -> list[Worker]:
    match kind:
        case "plain":
            return [plain_worker(client, PLAIN)]
        case "plain-on-ours":
            return [plain_worker(client, PLAIN_ON_OURS)]
        case "workflows":
            return [workflows_worker(client)]
        case "agents":
            return _agents(client)
        case _:
            return [workflows_worker(client), *_agents(client)]


def _agents(client: Client) -> list[Worker]:
    cluster, memory, artifacts, judge = ManyDeployments(), MemoryInMemory(), ArtifactsInMemory(), CedarJudge()
    desk = TemporalDesk(
        client, ui_url="http://127.0.0.1", patience=Patience(), budget=Budget(), rpc_timeout=timedelta(seconds=20)
    )
    keeper = GoodKeeper(NamespacesInMemory(ClusterInMemory()), LastGoodInMemory(artifacts), artifacts)
    return [
        sre_worker(client, cluster, MetricsInMemory(), memory, NoModel(), artifacts, keeper),
        architect_worker(client, cluster, artifacts),
        security_worker(client, cluster, judge, artifacts),
        deployment_worker(client, cluster, cluster, judge, artifacts, TemporalChangeControl(client, "bench"), NO_LIMITS),
        connectors_worker(
            client,
            desk,
            TemporalSteering(client, "bench", Patience(), Budget()),
            QuestionsToPipe(Path(os.environ["OPSMEND_BENCH_QUESTIONS"])),
            memory,
        ),
    ]


async def main(kind: str) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    address = os.environ["TEMPORAL_ADDRESS"]
    plain = kind == "plain"
    client = await (Client.connect(address, data_converter=pydantic_data_converter) if plain else connect(address, "default"))
    async with AsyncExitStack() as stack:
        for worker in workers_for(kind, client):
            await stack.enter_async_context(worker)
        await ended.wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
