"""The schedule of the looks at watched namespaces. What Temporal has is made to be what the settings say, at each start."""

from datetime import timedelta
from typing import Final

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
)
from temporalio.service import RPCError, RPCStatusCode

from opsmend.agents.queues import WORKFLOWS
from opsmend.errors import TemporalUnavailableError, bounded
from opsmend.workflows.keep_last_good import KeepLastGood, KeepLastGoodRequest

SCHEDULE_ID: Final = "opsmend-last-good"

_CATCH_UP: Final = timedelta(minutes=1)
"""Looks that were missed while Temporal was away are not made up for: the next one sees the same."""
_LONGEST: Final = timedelta(minutes=30)

_NOTHING_TO_REMOVE: Final = (RPCStatusCode.NOT_FOUND, RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED)
"""Whoever may not remove the schedule has not made it either."""


async def schedule_last_good(client: Client, request: KeepLastGoodRequest, every: timedelta, rpc_timeout: timedelta) -> None:
    """Make, change or, where nothing is watched any more, remove the schedule. Twice is harmless.

    Raises:
        TemporalUnavailableError: Temporal did not take it.
    """
    try:
        if request.namespaces:
            await _put(client, _schedule(request, every), rpc_timeout)
        else:
            await _remove(client, rpc_timeout)
    except RPCError as e:
        raise TemporalUnavailableError(f"Temporal did not take the schedule {SCHEDULE_ID}: {bounded(str(e))}") from e


async def _put(client: Client, schedule: Schedule, rpc_timeout: timedelta) -> None:
    try:
        await client.create_schedule(SCHEDULE_ID, schedule, trigger_immediately=True, rpc_timeout=rpc_timeout)
    except ScheduleAlreadyRunningError:
        handle = client.get_schedule_handle(SCHEDULE_ID)
        await handle.update(lambda _: ScheduleUpdate(schedule=schedule), rpc_timeout=rpc_timeout)


async def _remove(client: Client, rpc_timeout: timedelta) -> None:
    try:
        await client.get_schedule_handle(SCHEDULE_ID).delete(rpc_timeout=rpc_timeout)
    except RPCError as e:
        if e.status not in _NOTHING_TO_REMOVE:
            raise


def _schedule(request: KeepLastGoodRequest, every: timedelta) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            KeepLastGood.run,
            request,
            id=SCHEDULE_ID,
            task_queue=WORKFLOWS,
            execution_timeout=_LONGEST,
            static_summary="Keep the configuration of watched namespaces while it is good",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=_CATCH_UP),
    )
