"""How far back the histories go that Temporal still keeps."""

from datetime import datetime

from temporalio.client import Client
from temporalio.service import RPCError

from opsmend.errors import TemporalUnavailableError, bounded


async def oldest_start(client: Client, before: datetime) -> datetime | None:
    """When the oldest run of any workflow in the namespace began, open or closed; None if none began before `before`.

    Raises:
        TemporalUnavailableError: it does not answer.
    """
    try:
        runs = client.list_workflows(f'StartTime < "{before.isoformat()}"')
        return min([run.start_time async for run in runs], default=None)
    except RPCError as e:
        raise TemporalUnavailableError(f"Temporal did not list what it keeps: {bounded(str(e))}") from e
