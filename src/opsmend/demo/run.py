"""The demo from the first process to the closing table."""

import asyncio
import signal
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from shlex import quote

from rich.console import Console
from rich.markup import escape

from opsmend.api.incident_view import IncidentView
from opsmend.console.client import ApiRefusedError
from opsmend.console.command import this_command_anywhere, who_types
from opsmend.console.layout import show_on, whole
from opsmend.demo.closing import closing_report, what_went_wrong, write_report
from opsmend.demo.stage import Stage, set_stage
from opsmend.demo.story import Decide, Told, look, tell
from opsmend.domain.approval import Answer
from opsmend.embedded.data_directory import DataDirectory
from opsmend.settings import Settings


async def run_demo(
    console: Console, settings: Settings, directory: DataDirectory, *, yes: bool, stay: bool, report: Path | None
) -> list[str]:
    """Play it; returns what went wrong, in sentences.

    Raises:
        PartFailedError, StoryFailedError: it could not be played to its end.
    """
    console.print("Starting Temporal, Milvus Lite, the cluster, the API and the workers …")
    async with set_stage(settings, directory) as stage:
        _introduce(console, stage)
        told = await _tell_both(console, stage, partial(_decide, console, stage, yes))
        show_on(console, closing_report(told))
        if report:
            await asyncio.to_thread(write_report, told, report)
        wrong = what_went_wrong(told)
        for sentence in wrong:
            console.print(f"[bold red]not as promised:[/] {escape(sentence)}")
        if stay:
            console.print("Everything stays up until Ctrl-C.")
            await _until_interrupted()
        return wrong


async def _tell_both(console: Console, stage: Stage, decide: Decide) -> list[Told]:
    """Both incidents; the second one, which recalls the fix of the first, only if there was a fix."""
    told: list[Told] = []
    for service, kill in (("web", True), ("checkout", False)):
        told.append(await tell(stage, console, service, decide, kill_worker=kill))
        if told[-1].rejected:
            console.print("You said no: nothing was changed, and the incident is a person's now. That ends the demo.")
            break
    return told


def _introduce(console: Console, stage: Stage) -> None:
    for line in (
        f"Temporal UI  {stage.stack.temporal_ui}",
        f"API          {stage.stack.api_url}",
        f"cluster      kubectl --server={stage.cluster_url} --namespace=shop get deployments,pods",
        f"CLI          {_elsewhere(stage, 'incidents')}",
    ):
        show_on(console, whole(line))


def _elsewhere(stage: Stage, command: str) -> str:
    """A command to be typed into another terminal."""
    return f"OPSMEND_DATA_DIR={quote(str(stage.stack.data_dir))} {this_command_anywhere()} {command}"


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
        await stage.api.decide(incident.id, plan_hash=incident.plan.hash, decision=answer, reason=reason, name=who_types())
    except ApiRefusedError as e:
        console.print(f"[yellow]not taken:[/] {escape(str(e))}")


async def _asked(console: Console, stage: Stage, incident: IncidentView) -> Answer | None:
    """The answer typed here; None when somebody else answered first (CLI, HTTP, Slack)."""
    console.print("[bold]Approve this plan?[/] y/N here, or in another terminal:")
    show_on(console, whole(_elsewhere(stage, f"approve {quote(incident.id)}")))
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        if not typed.done():
            typed.set_result(sys.stdin.readline())

    try:
        loop.add_reader(0, read)
    except PermissionError:  # a file, or /dev/null: it never keeps anybody waiting, so there is nothing to be told of
        read()
    try:
        while not typed.done():
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(typed), 0.5)
            if not typed.done() and (await look(stage, incident.id)).status != "awaiting_approval":
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
