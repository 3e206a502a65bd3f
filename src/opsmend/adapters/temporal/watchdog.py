"""One watchdog for the whole installation, whoever starts first."""

from datetime import timedelta

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from opsmend.agents.queues import WORKFLOWS
from opsmend.errors import TemporalUnavailableError, bounded
from opsmend.workflows.watchdog import WATCHDOG_ID, Watchdog, WatchdogRequest


async def start_watchdog(client: Client, rpc_timeout: timedelta, request: WatchdogRequest | None = None) -> None:
    """Twice is harmless: one that runs is left alone.

    Raises:
        TemporalUnavailableError: Temporal did not take it.
    """
    try:
        await client.start_workflow(
            Watchdog.run,
            request or WatchdogRequest(),
            id=WATCHDOG_ID,
            task_queue=WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary="Looks after what no incident can see to itself: code that fails, locks of those that are gone",
            rpc_timeout=rpc_timeout,
        )
    except RPCError as e:
        raise TemporalUnavailableError(f"Temporal did not take the watchdog: {bounded(str(e))}") from e
