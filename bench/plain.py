"""What an incident is held against: a plain workflow of as many activities, one after the other, with payloads as large."""

from datetime import timedelta
from typing import Final

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from opsmend.domain.record import JsonObject, Record

PLAIN: Final = "bench-plain"
"""The task queue of the worker that is held against ours."""
PLAIN_ON_OURS: Final = "bench-plain-on-our-connection"
"""That of one that talks to Temporal as ours does, to tell what of the difference is the connection's."""


class PlainLife(Record):
    """`before` activities, then a wait for the signal `go_on`, then `after` more; each is given `payload` and returns it."""

    before: int
    after: int
    payload: JsonObject


@activity.defn(name="bench.echo")
async def echo(payload: JsonObject) -> JsonObject:
    return payload


@workflow.defn(name="Plain")
class Plain:
    """Activities around one decision."""

    def __init__(self) -> None:
        self._going_on = False
        self._waiting = False

    @workflow.run
    async def run(self, life: PlainLife) -> None:
        await self._work(life.before, life.payload)
        self._waiting = True
        await workflow.wait_condition(lambda: self._going_on)
        await self._work(life.after, life.payload)

    async def _work(self, times: int, payload: JsonObject) -> None:
        for _ in range(times):
            await workflow.execute_activity(echo, payload, start_to_close_timeout=timedelta(minutes=1))

    @workflow.signal
    def go_on(self) -> None:
        self._going_on = True

    @workflow.update
    async def wait_for_question(self) -> None:
        """Answered once the workflow waits for `go_on`."""
        await workflow.wait_condition(lambda: self._waiting)


def plain_worker(client: Client, queue: str) -> Worker:
    """A worker as the SDK makes it by default."""
    return Worker(client, task_queue=queue, workflows=[Plain], activities=[echo])
