"""Plays one incident whose graphs are walked by a workflow worker as in production: `python -m tests.workflows.an_incident`."""

import asyncio
from contextlib import AsyncExitStack, nullcontext

from langchain_core.tracers.langchain import wait_for_all_tracers

from opsmend.settings import Settings
from opsmend.worker import run_workers
from tests.builders import a_decision_request
from tests.workflows import conftest
from tests.workflows.conftest import INCIDENT, World
from tests.workflows.servers import a_temporal


async def main() -> None:
    async with AsyncExitStack() as stack:
        temporal = await stack.enter_async_context(a_temporal())
        client = await temporal.client()
        await run_workers(["workflows"], Settings(), client, stack)
        # The world brings all others.
        vars(conftest)["workflows_worker"] = lambda *_: nullcontext()
        world = World(client)
        await world.work(stack)
        await world.alert()
        asked = await world.until_asked()
        await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
        print((await world.until_closed()).outcome)


if __name__ == "__main__":
    asyncio.run(main())
    wait_for_all_tracers()
