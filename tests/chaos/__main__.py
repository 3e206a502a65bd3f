"""`make chaos`: an incident on real parts, its worker killed at every point, its surroundings failing, or ended by hand.

    python -m tests.chaos [--only TEXT] [--lanes N]

Ends with 'N passed, N failed' and exits with 1 if any failed. Logs of failed cases stay in .opsmend/chaos/.
"""

import argparse
import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from opsmend.adapters.milvus.server import milvus_command
from opsmend.domain.incident import IncidentState
from opsmend.embedded.processes import Part, free_port, start_part
from opsmend.embedded.temporal_server import start_temporal
from opsmend.errors import OpsmendError
from tests.chaos.cases import API_CASES, SLACK_CASE, Case, kill_cases
from tests.chaos.lane import Lane, open_lane
from tests.chaos.outages import Outage, cancelled, down_across_two_outbreaks, milvus_locked, temporal_killed
from tests.chaos.verdict import Verdict, judged
from tests.slack_standin.standin import SlackStandin, running_slack
from tests.tally import Tally, failed

FOLDER: Final = Path(".opsmend/chaos").resolve()

console = Console(width=None if sys.stdout.isatty() else 140)


@dataclass(frozen=True)
class Shared:
    """What all cases but the outages use."""

    temporal: str
    namespaces: tuple[str, ...]
    slack: SlackStandin
    milvus: str

    async def play(self, case: Case, namespace: str) -> tuple[Verdict, list[Case]]:
        """One incident under `case`, from the broken release to the end of its workflow. Logs of a failure stay.

        The other cases: a worker killed at each point that it has passed.
        """
        folder = FOLDER / case.name.replace(" ", "-").replace(".", "-")
        shutil.rmtree(folder, ignore_errors=True)
        async with AsyncExitStack() as stack:
            lane = await open_lane(
                stack,
                folder,
                temporal=self.temporal,
                namespace=namespace,
                slack=self.slack,
                milvus=self.milvus,
                point=case.point,
            )
            kills = 1 if case.point else 0
            verdict = await judged(lane, _life(lane, case), name=case.name, killed=case.killed, kills=kills)
            passed = kill_cases(lane.executed())
        if not failed(verdict):
            shutil.rmtree(folder, ignore_errors=True)
        return verdict, passed


async def _life(lane: Lane, case: Case) -> IncidentState:
    await lane.break_the_shop()
    await case.before(lane)
    await lane.start_worker()
    await lane.send_alerts()
    await lane.until_asked()
    await case.asked(lane)
    await lane.approve()
    await case.approved(lane)
    return await lane.over()


async def attempt(name: str, killed: str, run: Callable[[], Awaitable[Verdict]]) -> Verdict:
    """A case that breaks off is a failed line of the table, not the end of all others."""
    try:
        return await run()
    except (OpsmendError, TimeoutError, AssertionError) as e:
        return Verdict(name, killed, "-", 0, 0, wrong=[f"{type(e).__name__}: {e}"])


async def main() -> int:
    options = _options()
    shutil.rmtree(FOLDER, ignore_errors=True)
    tally: Tally[Verdict] = Tally(_tell)
    async with AsyncExitStack() as stack:
        shared = await _shared(stack, options.lanes)
        listed = await _listed(shared, tally)
        cases = [case for case in (*listed, *API_CASES) if options.only in case.name]
        console.print(
            f"{len(listed)} points before and after activities, listed from the quiet run; {len(cases)} cases to play"
        )
        await _in_lanes(shared, tally, cases)
        alone = [turn for turn in _alone(shared) if options.only in turn[0]]
        for turn in alone:
            if not tally.is_unsafe:
                tally.take(await attempt(*turn))
        turns = {name: (name, killed, run) for name, killed, run in (*alone, *(_turn(shared, case) for case in cases))}
        for name in tally.to_play_again():
            if name in turns and not tally.is_unsafe:
                tally.take(await attempt(*turns[name]))
    console.print(_table(tally.verdicts))
    if not (cases or alone):
        console.print(f"No case has {options.only!r} in its name.")
    print("\n".join(tally.closing_lines()))
    return 1 if tally.failures or not listed or not (cases or alone) else 0


async def _shared(stack: AsyncExitStack, lanes: int) -> Shared:
    namespaces = tuple(f"lane-{number}" for number in range(lanes))
    server = await start_temporal(FOLDER / "temporal", port=free_port(), ui_port=free_port(), namespaces=namespaces)
    stack.push_async_callback(server.part.stop)
    slack = await stack.enter_async_context(running_slack())
    return Shared(server.address, namespaces, slack, await _milvus(stack, FOLDER / "milvus"))


async def _listed(shared: Shared, tally: Tally[Verdict]) -> list[Case]:
    """A case for each point that a run without any fault passes."""
    listed: list[Case] = []

    async def quiet() -> Verdict:
        verdict, passed = await shared.play(Case(name="quiet", killed="nothing"), shared.namespaces[0])
        listed[:] = passed
        return verdict

    tally.take(await attempt("quiet", "nothing", quiet))
    if tally.to_play_again():
        # At once: one that stood still has not passed all points.
        tally.take(await attempt("quiet", "nothing", quiet))
    return listed


async def _in_lanes(shared: Shared, tally: Tally[Verdict], cases: list[Case]) -> None:
    queue: asyncio.Queue[Case] = asyncio.Queue()
    for case in cases:
        queue.put_nowait(case)

    async def lane(namespace: str) -> None:
        while not queue.empty() and not tally.is_unsafe:
            tally.take(await attempt(*_turn(shared, queue.get_nowait(), namespace)))

    await asyncio.gather(*(lane(namespace) for namespace in shared.namespaces))


def _turn(shared: Shared, case: Case, namespace: str = "") -> Outage:
    async def run() -> Verdict:
        return (await shared.play(case, namespace or shared.namespaces[0]))[0]

    return case.name, case.killed, run


def _alone(shared: Shared) -> Iterator[Outage]:
    """These take down what the lanes share, so they play by themselves."""
    yield _turn(shared, SLACK_CASE)
    yield from temporal_killed(FOLDER, shared.slack)
    yield from milvus_locked(FOLDER, shared.slack)
    yield from down_across_two_outbreaks(FOLDER, shared.slack)
    yield from cancelled(FOLDER, shared.slack)


async def _milvus(stack: AsyncExitStack, folder: Path) -> str:
    port = free_port()
    part: Part = await start_part("milvus", milvus_command(folder, port), folder.parent / "logs")
    stack.push_async_callback(part.stop)
    return f"http://127.0.0.1:{port}"


def _tell(verdict: Verdict) -> None:
    word = "[red]failed[/]" if failed(verdict) else "[green]passed[/]"
    console.print(f"{word} {verdict.name}" + "".join(f"\n       {why}" for why in _reasons(verdict)), highlight=False)


def _reasons(verdict: Verdict) -> list[str]:
    return [*verdict.unsafe, *verdict.wrong, *(f"too late: {late}" for late in verdict.late)]


def _table(verdicts: list[Verdict]) -> Table:
    table = Table("point", "killed or failing", "outcome", "changes seen", "nodes re-run", "", title="Chaos")
    for v in verdicts:
        table.add_row(
            v.name, v.killed, v.outcome, str(v.mutations), str(v.nodes_rerun), "; ".join(_reasons(v)) or "as without it"
        )
    return table


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--only", default="", help="play only the cases whose name contains this")
    parser.add_argument("--lanes", type=int, default=3, help="cases at the same time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
