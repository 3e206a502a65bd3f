"""`make chaos`: an incident on real parts, with the worker killed at every point of it, and its surroundings failing.

    python -m tests.chaos [--only TEXT] [--lanes N]

Ends with 'N passed, N failed' and exits with 1 if any failed. Logs of failed cases stay in .opsmend/chaos/.
"""

import argparse
import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from opsmend.adapters.milvus.server import milvus_command
from opsmend.embedded.processes import Part, free_port, start_part
from opsmend.embedded.temporal_server import start_temporal
from opsmend.errors import OpsmendError
from tests.chaos.cases import API_CASES, SLACK_CASE, Case, kill_cases
from tests.chaos.lane import Lane, open_lane
from tests.chaos.outages import milvus_locked, temporal_killed
from tests.chaos.verdict import Verdict, judge
from tests.slack_standin.standin import SlackStandin, running_slack

FOLDER: Final = Path(".opsmend/chaos").resolve()

console = Console(width=None if sys.stdout.isatty() else 140)


async def play(
    case: Case, folder: Path, *, temporal: str, namespace: str, slack: SlackStandin, milvus: str
) -> tuple[Verdict, Lane]:
    """One incident under `case`, from the broken release to the end of its workflow."""
    async with AsyncExitStack() as stack:
        lane = await open_lane(
            stack, folder, temporal=temporal, namespace=namespace, slack=slack, milvus=milvus, point=case.point
        )
        await lane.break_the_shop()
        await case.before(lane)
        await lane.start_worker()
        await lane.send_alerts()
        await lane.until_asked()
        await case.asked(lane)
        await lane.approve()
        await case.approved(lane)
        state = await lane.over()
        return await judge(lane, state, name=case.name, killed=case.killed, kills=1 if case.point else 0), lane


async def attempt(name: str, killed: str, run: Callable[[], Awaitable[Verdict]]) -> Verdict:
    """A case that breaks off is a failed line of the table, not the end of all others."""
    try:
        return await run()
    except (OpsmendError, TimeoutError, AssertionError) as e:
        return Verdict(name, killed, "-", 0, 0, [f"{type(e).__name__}: {e}"])


async def main() -> int:
    options = _options()
    shutil.rmtree(FOLDER, ignore_errors=True)
    async with AsyncExitStack() as stack:
        namespaces = tuple(f"lane-{number}" for number in range(options.lanes))
        server = await start_temporal(FOLDER / "temporal", port=free_port(), ui_port=free_port(), namespaces=namespaces)
        stack.push_async_callback(server.part.stop)
        slack = await stack.enter_async_context(running_slack())
        milvus = await _milvus(stack, FOLDER / "milvus")
        verdicts: list[Verdict] = []

        async def one(case: Case, namespace: str) -> Verdict:
            folder = FOLDER / case.name.replace(" ", "-").replace(".", "-")

            async def run() -> Verdict:
                verdict, _ = await play(case, folder, temporal=server.address, namespace=namespace, slack=slack, milvus=milvus)
                return verdict

            verdict = await attempt(case.name, case.killed, run)
            _tell(verdict)
            if not verdict.wrong:
                shutil.rmtree(folder, ignore_errors=True)
            verdicts.append(verdict)
            return verdict

        quiet = Case(name="quiet", killed="nothing")
        listed: list[Case] = []

        async def list_points() -> Verdict:
            verdict, lane = await play(
                quiet, FOLDER / "quiet", temporal=server.address, namespace=namespaces[0], slack=slack, milvus=milvus
            )
            listed.extend(kill_cases(lane.executed()))
            return verdict

        verdicts.append(await attempt("quiet", "nothing", list_points))
        _tell(verdicts[0])
        cases = [case for case in (*listed, *API_CASES) if options.only in case.name]
        console.print(
            f"{len(listed)} points before and after activities, listed from the quiet run; {len(cases)} cases to play"
        )
        queue: asyncio.Queue[Case] = asyncio.Queue()
        for case in cases:
            queue.put_nowait(case)

        async def lane_of(namespace: str) -> None:
            while not queue.empty():
                await one(queue.get_nowait(), namespace)

        await asyncio.gather(*(lane_of(namespace) for namespace in namespaces))
        # These take down what the lanes share, so they play alone.
        if options.only in SLACK_CASE.name:
            await one(SLACK_CASE, namespaces[0])
        for outage in (temporal_killed, milvus_locked):
            for name, killed, run in outage(FOLDER, slack):
                if options.only in name:
                    verdicts.append(await attempt(name, killed, run))
                    _tell(verdicts[-1])
    console.print(_table(verdicts))
    failed = sum(bool(verdict.wrong) for verdict in verdicts)
    print(f"{len(verdicts) - failed} passed, {failed} failed")
    return 1 if failed or not listed else 0


async def _milvus(stack: AsyncExitStack, folder: Path) -> str:
    port = free_port()
    part: Part = await start_part("milvus", milvus_command(folder, port), folder.parent / "logs")
    stack.push_async_callback(part.stop)
    return f"http://127.0.0.1:{port}"


def _tell(verdict: Verdict) -> None:
    word = "[red]failed[/]" if verdict.wrong else "[green]passed[/]"
    console.print(f"{word} {verdict.name}" + "".join(f"\n       {wrong}" for wrong in verdict.wrong), highlight=False)


def _table(verdicts: list[Verdict]) -> Table:
    table = Table("point", "killed or failing", "outcome", "changes seen", "nodes re-run", "", title="Chaos")
    for v in verdicts:
        table.add_row(v.name, v.killed, v.outcome, str(v.mutations), str(v.nodes_rerun), "; ".join(v.wrong) or "as without it")
    return table


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--only", default="", help="play only the cases whose name contains this")
    parser.add_argument("--lanes", type=int, default=3, help="cases at the same time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
