"""What every activity gets on every worker: heartbeats while it runs, its bill, and our errors in Temporal's words.

A worker that is killed stops beating, so Temporal gives the activity to another one within the heartbeat timeout.
TransientError is retried after the time that the other side asked for; the other bases are not retried at all.

Calls to the Kubernetes API are counted over all tries of an activity: heartbeats and failures carry what was counted so far,
and the next try goes on from there. What a killed worker (SIGKILL) asked since its last heartbeat, a few seconds at most, is
the gap; and what an activity asks that is called off after ten seconds because every alert has resolved meanwhile.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from opsmend.agents.queues import agent_of
from opsmend.agents.work import Work, at_work, done_in, ledger_in
from opsmend.domain.record import newer_version
from opsmend.errors import OpsmendError, RefusedError, TransientError, bounded


class ActivityConduct(Interceptor):
    """Give it to every Worker."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Conduct(next)


class _Conduct(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        earlier = info.heartbeat_details
        work = Work(agent_of(info.task_queue), info.workflow_id or info.activity_id, ledger_in(earlier), done_in(earlier))
        with at_work(work), _beating(work, info.heartbeat_timeout):
            try:
                return await self.next.execute_activity(input)
            except BaseException as e:
                activity.heartbeat(*work.details)  # reaches Temporal before the failure does
                if isinstance(e, Exception):
                    _count(e)
                    # What is below one of our errors stays here: it holds foreign text, and some errors of pymilvus name
                    # themselves as their own cause, so that Temporal's converter never comes to an end.
                    raise in_temporal_words(e, *work.details) from (None if isinstance(e, OpsmendError) else e)
                raise


def _count(error: Exception) -> None:
    """By what went wrong: `MemoryUnavailableError` says that Milvus is away. Temporal adds activity and queue."""
    meter = activity.metric_meter().with_additional_attributes({"error": type(error).__name__})
    meter.create_counter("opsmend_activity_errors", "Tries of an activity that failed, by the error.").add(1)


@contextmanager
def _beating(work: Work, timeout: timedelta | None) -> Iterator[None]:
    """Three heartbeats in `timeout`, by a timer of the loop: a task for each activity would be a hundredth of an incident."""
    if timeout is None:
        yield
        return
    loop, every = asyncio.get_running_loop(), timeout.total_seconds() / 3
    next_beat: asyncio.TimerHandle

    def beat() -> None:
        nonlocal next_beat
        next_beat = loop.call_later(every, beat)
        activity.heartbeat(*work.details)

    # The first comes later: what began just now has nothing to tell, and most activities are over by then.
    next_beat = loop.call_later(every, beat)
    try:
        yield
    finally:
        next_beat.cancel()


def in_temporal_words(error: Exception, *details: Any) -> ApplicationError:
    """The same error as Temporal understands it; its type is our class name, which the desk turns back.

    Anything that is no OpsmendError is a bug: it is retried within the patience of its activity. So is what a newer version
    wrote: a worker of that version may be the next to try.
    """
    if isinstance(error, ValidationError):
        error = newer_version(error) or error
    return ApplicationError(
        bounded(str(error)),
        *details,
        type=type(error).__name__,
        non_retryable=isinstance(error, OpsmendError) and not isinstance(error, TransientError),
        next_retry_delay=error.retry_after if isinstance(error, TransientError) else None,
        category=ApplicationErrorCategory.BENIGN if isinstance(error, RefusedError) else ApplicationErrorCategory.UNSPECIFIED,
    )
