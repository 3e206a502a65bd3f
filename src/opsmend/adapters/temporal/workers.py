"""Which roles have workers and how much waits for them, as Temporal sees it: who asked a task queue, and what is in it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from opsmend.agents import queues
from opsmend.domain.ports.workers import WorkQueue
from opsmend.errors import TemporalUnavailableError, bounded

_QUEUES: Final[Mapping[str, TaskQueueType.ValueType]] = {
    queues.WORKFLOWS: TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    queues.SRE: TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    queues.ARCHITECT: TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    queues.SECURITY: TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    queues.DEPLOYMENT: TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    queues.CONNECTORS: TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
}

LATELY: Final = timedelta(seconds=90)
"""A worker that is there asks again at least once a minute; Temporal remembers those that have gone for five."""


class TemporalWorkers:
    """Implements Workers."""

    def __init__(self, client: Client, rpc_timeout: timedelta) -> None:
        self._client = client
        self._timeout = rpc_timeout

    async def work_queues(self) -> Mapping[str, WorkQueue]:
        return {queues.agent_of(queue): await self._described(queue, kind) for queue, kind in _QUEUES.items()}

    async def _described(self, queue: str, kind: TaskQueueType.ValueType) -> WorkQueue:
        request = DescribeTaskQueueRequest(
            namespace=self._client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind, report_stats=True
        )
        try:
            described = await self._client.workflow_service.describe_task_queue(request, timeout=self._timeout)
        # The client has no class of its own for a failed connection.
        except (RPCError, RuntimeError) as e:
            raise TemporalUnavailableError(f"Temporal did not tell who works on {queue}: {bounded(str(e))}") from e
        since = datetime.now(UTC) - LATELY
        return WorkQueue(
            at_work=any(poller.last_access_time.ToDatetime(UTC) >= since for poller in described.pollers),
            waiting=max(described.stats.approximate_backlog_count, 0),
            oldest=described.stats.approximate_backlog_age.ToTimedelta(),
        )
