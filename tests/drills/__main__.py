"""`make drills`: faults on a real cluster, from Prometheus' alert to the closed incident.

    python -m tests.drills [--only TEXT ...] [--lanes N] [--elsewhere]

Needs the lab (`make lab-up`), or another cluster. Then the lab's audit log is held against what opsmend claims to have asked,
and against deploy/rbac (audit/). Ends with 'N passed, N failed', exits with 1 if anything failed; all of them on the lab write
lab/results.json and lab/recorded_calls.json. Logs of opsmend are in .opsmend/drills/.
"""

import argparse
import asyncio
import json
import shutil
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
from rich.console import Console

from lab.kube import Kube
from lab.places import HERE
from tests.drills.accounts import grant
from tests.drills.alertmanager import Alertmanager
from tests.drills.audit.witness import hear
from tests.drills.cases import CASES
from tests.drills.drill import Drill
from tests.drills.ground import NoGroundError, another_cluster, the_lab
from tests.drills.kubernetes import kubernetes
from tests.drills.opsmend import opsmend_running
from tests.drills.play import play
from tests.drills.prometheus import Prometheus
from tests.drills.scene import Scene
from tests.drills.verdict import Verdict, table
from tests.tally import Tally, failed

FOLDER: Final = Path(".opsmend/drills").resolve()
RESULTS: Final = HERE / "results.json"

console = Console(width=None if sys.stdout.isatty() else 200)


async def main() -> int:
    options = _options()
    shutil.rmtree(FOLDER, ignore_errors=True)
    for folder in (FOLDER.parent, FOLDER):
        folder.mkdir(mode=0o700, exist_ok=True)
    try:
        ground = another_cluster(FOLDER) if options.elsewhere else the_lab()
    except NoGroundError as e:
        console.print(str(e), highlight=False, soft_wrap=True)
        return 1
    wanted = [drill for drill in CASES if not options.only or any(text in drill.name for text in options.only)]
    chosen = [drill for drill in wanted if ground.is_lab or not drill.needs_lab]
    tally: Tally[Verdict] = Tally(_tell)
    since = datetime.now(UTC)
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(kubernetes(ground.kubeconfig))
        kube = Kube(ground.kubeconfig)
        accounts = await grant(admin, kube, FOLDER)
        watched = [drill.name for drill in chosen if drill.watched]
        opsmend = await stack.enter_async_context(opsmend_running(FOLDER, ground, accounts, watched))
        prometheus = Prometheus(await stack.enter_async_context(_client(ground.prometheus_url)))
        alertmanager = Alertmanager(await stack.enter_async_context(_client(ground.alertmanager_url)))

        async def one(drill: Drill, *, again: bool = False) -> None:
            scene = Scene(drill.name, admin, kube, prometheus, alertmanager, opsmend)
            if again:
                await scene.cleared()
            others = frozenset(d.name for d in chosen if d is not drill)
            tally.take(await play(drill, scene, others))

        together: asyncio.Queue[Drill] = asyncio.Queue()
        for drill in chosen:
            if not drill.alone:
                together.put_nowait(drill)

        async def lane() -> None:
            while not together.empty() and not tally.is_unsafe:
                await one(together.get_nowait())

        await asyncio.gather(*(lane() for _ in range(options.lanes)))
        for drill in chosen:
            if drill.alone and not tally.is_unsafe:
                await one(drill)
        for name in tally.to_play_again():
            if tally.is_unsafe:
                break
            await one(next(drill for drill in chosen if drill.name == name), again=True)
        console.print(table(tally.verdicts))
        everything = ground.is_lab and not options.only and not tally.is_unsafe
        borne_out = True
        if ground.audit_log:
            borne_out = await hear(ground.audit_log, since, opsmend, chosen, console, all_rights=everything)
    if everything:
        RESULTS.write_text(json.dumps([v.as_json() for v in sorted(tally.verdicts, key=lambda v: v.drill)], indent=1) + "\n")
    for verdict in tally.failures:
        _tell(verdict)
    if not borne_out:
        print("SAFETY: the audit log does not bear out what opsmend says that it asked", flush=True)
    print("\n".join(tally.closing_lines()))
    return 1 if tally.failures or not tally.verdicts or not borne_out else 0


def _client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, trust_env=False)


def _tell(verdict: Verdict) -> None:
    word = "[red]failed[/]" if failed(verdict) else "[green]passed[/]"
    seconds = f" ({verdict.seconds['total']:.0f} s)" if verdict.seconds else ""
    console.print(
        f"{word} {verdict.drill}{seconds}" + "".join(f"\n       {wrong}" for wrong in verdict.reasons), highlight=False
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.drills", description="Drills on a real cluster.")
    parser.add_argument("--only", nargs="+", default=[], help="play only the drills whose name contains one of these")
    parser.add_argument("--elsewhere", action="store_true", help="on the cluster of KUBECONFIG, not the lab (docs/lab.md)")
    parser.add_argument("--lanes", type=int, default=3, help="drills at the same time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
