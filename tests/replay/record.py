"""Record the histories that replay tests run: `python -m tests.replay.record [STORY …]`.

A change of the commands is guarded with `workflow.patched` and begins a new generation: raise GENERATION and record all
stories. The histories of older generations stay for as long as runs of that shape can be alive in production.
"""

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from tests.replay.stories import STORIES
from tests.workflows.conftest import World, a_server_of_short_histories
from tests.workflows.servers import a_temporal

HISTORIES: Final = Path(__file__).parent / "histories"
GENERATION: Final = HISTORIES / "3"
"""1: before an incident had its objects locked while it asks. 2: before a lock outlived a run of its holder, and chores, guests
and long histories were seen to. Kept of both are the histories of incidents, for only they changed."""


async def record(name: str) -> None:
    story, terms = STORIES[name]
    terms = dict(terms)
    async with AsyncExitStack() as stack:
        if longest := terms.pop("longest_history", None):
            client = (await stack.enter_async_context(await a_server_of_short_histories(longest))).client
        else:
            client = await (await stack.enter_async_context(a_temporal())).client()
        world = World(client, **terms)
        await world.work(stack)
        await story(world)
        folder = GENERATION / name
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.json"):
            old.unlink()
        found = [w async for w in world.client.list_workflows()]
        for number, run in enumerate(sorted(found, key=lambda w: (w.start_time, w.id))):
            history = await world.client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
            (folder / f"{number:02}-{run.workflow_type}.json").write_text(_untraced(history.to_json()))
        print(f"{name}: {len(found)} histories")


def _untraced(history: str) -> str:
    """Without the stack traces of failures: they name files of the machine that recorded, and no replay looks at them."""
    kept = json.loads(history, object_hook=lambda fields: {k: v for k, v in fields.items() if k != "stackTrace"})
    return json.dumps(kept, indent=2)


if __name__ == "__main__":
    for asked in sys.argv[1:] or STORIES:
        asyncio.run(record(asked))
