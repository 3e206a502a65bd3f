"""The demo from the first process to the closing table."""

import asyncio
import getpass
import signal
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from opsmend.api.incident_view import IncidentView
from opsmend.console.client import ApiRefusedError
from opsmend.demo.closing import closing_table, what_went_wrong, write_report
from opsmend.demo.stage import Stage, set_stage
from opsmend.demo.story import tell
from opsmend.domain.approval import Answer


async def run_demo(console: Console, data_dir: Path, *, yes: bool, stay: bool, report: Path | None) -> list[str]:
    """Play it; returns what went wrong, in sentences.

    Raises:
        PartFailedError, StoryFailedError: it could not be played to its end.
    """
    console.print("Starting Temporal, Milvus Lite, the cluster, the API and the workers …")
    async with set_stage(data_dir) as stage:
        _introduce(console, stage)
        decide = partial(_decide, console, stage, yes)
        told = []
        for service, kill in (("web", True), ("checkout", False)):
            told.append(await tell(stage, console, service, decide, kill_worker=kill))
        console.print(closing_table(told))
        for one in told:
            console.print(f"{escape(one.incident.id)} in the Temporal UI: {escape(one.incident.temporal_ui)}", soft_wrap=True)
        if report:
            await asyncio.to_thread(write_report, told, report)
        wrong = what_went_wrong(told)
        for sentence in wrong:
            console.print(f"[bold red]not as promised:[/] {escape(sentence)}")
        if stay:
            console.print("Everything stays up until Ctrl-C.")
            await _until_interrupted()
        return wrong


def _introduce(console: Console, stage: Stage) -> None:
    console.print(f"Temporal UI  {stage.stack.temporal_ui}")
    console.print(f"API          {stage.stack.api_url}")
    console.print(f"cluster      kubectl --server={stage.cluster_url} --namespace=shop get deployments,pods", soft_wrap=True)
    console.print(f"CLI          OPSMEND_DATA_DIR={stage.stack.data_dir} opsmend incidents", soft_wrap=True)


async def _decide(console: Console, stage: Stage, yes: bool, incident: IncidentView) -> None:
    """Answer the open question, unless somebody else does."""
    answer: Answer | None = Answer.APPROVE
    if yes:
        console.print("[bold yellow]--yes:[/] approving by itself, nobody was asked")
    else:
        answer = await _asked(console, stage, incident)
    if answer is None or incident.plan is None:
        return
    reason = "demo --yes" if yes else ""
    try:
        await stage.api.decide(
            incident.id, plan_hash=incident.plan.hash, decision=answer, reason=reason, name=getpass.getuser()
        )
    except ApiRefusedError as e:
        console.print(f"[yellow]not taken:[/] {escape(str(e))}")


async def _asked(console: Console, stage: Stage, incident: IncidentView) -> Answer | None:
    """The answer typed here; None when somebody else answered first (CLI, HTTP, Slack)."""
    console.print(
        f"[bold]Approve this plan?[/] y/N here, or elsewhere: "
        f"OPSMEND_DATA_DIR={stage.stack.data_dir} opsmend approve {escape(incident.id)}",
        soft_wrap=True,
    )
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        if not typed.done():
            typed.set_result(sys.stdin.readline())

    loop.add_reader(0, read)
    try:
        while not typed.done():
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(typed), 0.5)
            if not typed.done() and (await stage.api.incident(incident.id)).status != "awaiting_approval":
                console.print("answered elsewhere")
                return None
    finally:
        loop.remove_reader(0)
    return Answer.APPROVE if typed.result().strip().lower() in ("y", "yes") else Answer.REJECT


async def _until_interrupted() -> None:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()
