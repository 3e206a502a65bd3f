"""One incident, played and told as it happens."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.markup import escape

from opsmend.api.incident_view import IncidentView
from opsmend.console.client import ApiRefusedError, ApiUnreachableError
from opsmend.console.incident_report import (
    approval_line,
    changes_report,
    diagnosis_report,
    plan_report,
    postmortem_report,
    timeline_line,
    verdict_report,
    verification_line,
)
from opsmend.console.layout import counted, section, show_on
from opsmend.demo.monitor import Monitor, ended
from opsmend.demo.stage import Stage
from opsmend.errors import OpsmendError
from opsmend_cluster.shop import NAMESPACE, ship_release

_LOOK: Final = 0.15
"""Seconds between two looks at the incident."""

Decide = Callable[[IncidentView], Awaitable[None]]


class StoryFailedError(OpsmendError):
    """The demo did not go as it must; the message says where."""


@dataclass(frozen=True)
class Told:
    """How one incident went."""

    incident: IncidentView
    worker_kills: int
    mutations: int

    @property
    def rejected(self) -> bool:
        """Whether somebody said no to its plan."""
        return self.incident.approval is not None and self.incident.approval.decision == "reject"


async def tell(stage: Stage, console: Console, service: str, decide: Decide, *, kill_worker: bool) -> Told:
    """Break `service`, raise the alarm, and follow the incident to its end.

    Raises:
        StoryFailedError: the incident could not be followed.
    """
    show_on(console, section(f"{NAMESPACE}/{service}"))
    monitor = Monitor(
        stage.cluster_url, f"{stage.stack.api_url}/v1/alerts/alertmanager", stage.stack.api_token, NAMESPACE, service
    )
    await monitor.until(firing=False)
    console.print(f"The pipeline ships a new release of [bold]{service}[/] with a slip in its nginx configuration …")
    await asyncio.to_thread(ship_release, stage.cluster_url, service)
    with console.status("until its pods crash and the alert fires"):
        await monitor.until(firing=True)
    incident_id = await _raise_alarm(monitor, console)
    resolving = asyncio.create_task(monitor.resolve_when_well())
    try:
        return await _follow(stage, console, service, incident_id, decide, kill_worker=kill_worker)
    finally:
        await ended(resolving)
        await monitor.close()


async def _raise_alarm(monitor: Monitor, console: Console) -> str:
    opened = await monitor.post("KubePodCrashLooping", "firing")
    resends = [await monitor.post("KubePodCrashLooping", "firing") for _ in range(2)]
    sibling = await monitor.post("KubeDeploymentRolloutStuck", "firing")
    ids = {incident["id"] for posted in (opened, *resends, sibling) for incident in posted}
    if len(ids) != 1:
        raise StoryFailedError(f"four notifications of one problem made {len(ids)} incidents: {sorted(ids)}")
    incident_id: str = ids.pop()
    joined = sum(not posted[0]["created"] for posted in (*resends, sibling))
    console.print(f"Alertmanager posted 1 alert, 2 resends and 1 sibling. The first opened an incident, {joined} joined it:")
    console.print(f"[bold]{escape(incident_id)}[/]", soft_wrap=True)
    return incident_id


async def _follow(stage: Stage, console: Console, service: str, incident_id: str, decide: Decide, *, kill_worker: bool) -> Told:
    told = 0
    shown: set[str] = set()
    kills = 0
    killing: asyncio.Task[int] | None = None
    while True:
        incident = await look(stage, incident_id)
        for entry in incident.timeline[told:]:
            show_on(console, timeline_line(entry, f"{entry.at:%H:%M:%S}"))
        told = len(incident.timeline)
        _show_news(console, incident, shown)
        if incident.status == "awaiting_approval" and incident.approval is None and "asked" not in shown:
            shown.add("asked")
            if kill_worker:
                killing = asyncio.create_task(_kill_in_mid_execution(stage, console, service))
            await decide(incident)
        if incident.status == "closed":
            break
        await asyncio.sleep(_LOOK)
    if killing:
        # Without an execution there is nothing to kill in the middle of.
        if incident.execution:
            kills = await killing
        else:
            await ended(killing)
    if incident.postmortem:
        show_on(console, postmortem_report(incident.postmortem))
    if incident.diagnosis and incident.outcome == "remediated":
        with console.status("until it is remembered"):
            await stage.until_remembered(incident.diagnosis)
    mutations = await stage.mutations(service)
    patches = ", ".join(f"{m['verb'].upper()} {m['resource']}/{m['name']} → {m['code']}" for m in mutations)
    changes = f"{counted(len(mutations), 'change')} by opsmend"
    console.print(f"The cluster's own audit: [bold]{changes}[/]{f' ({escape(patches)})' if patches else ''}")
    return Told(incident, kills, len(mutations))


def _show_news(console: Console, incident: IncidentView, shown: set[str]) -> None:
    """Print each part of the incident when it is there for the first time."""
    parts = {
        "diagnosis": incident.diagnosis and diagnosis_report(incident.diagnosis),
        "changes": incident.changes and changes_report(incident.changes, incident.began_note),
        "plan": incident.plan and incident.verdict and plan_report(incident.plan),
        "verdict": incident.verdict and verdict_report(incident.verdict),
        "approval": incident.approval and approval_line(incident.approval),
        "verification": incident.verification and verification_line(incident.verification),
    }
    for name, part in parts.items():
        if part and name not in shown:
            shown.add(name)
            show_on(console, part)


async def look(stage: Stage, incident_id: str) -> IncidentView:
    """The incident's state; while no worker lives, Temporal has nobody to ask, so it is asked again.

    Raises:
        StoryFailedError: nobody answers for too long.
    """
    for _ in range(100):
        try:
            return await stage.api.incident(incident_id)
        except (ApiUnreachableError, ApiRefusedError) as e:
            if isinstance(e, ApiRefusedError) and e.status != 503:
                raise
            await asyncio.sleep(_LOOK)
    raise StoryFailedError(f"{incident_id} could not be asked for its state any more")


async def _kill_in_mid_execution(stage: Stage, console: Console, service: str) -> int:
    """SIGKILL the worker as soon as the cluster has seen the first request of the execution; returns how many were killed."""
    while not await stage.rehearsals(service):
        await asyncio.sleep(0.01)
    worker = stage.stack.parts["worker"]
    worker.kill()
    console.print(f"[bold red]SIGKILL[/] to the worker (pid {worker.process.pid}) in the middle of the execution …")
    while stage.stack.parts["worker"] is worker:
        await asyncio.sleep(_LOOK)
    console.print(
        f"… another worker started (pid {stage.stack.parts['worker'].process.pid}); the workflow goes on where it stood"
    )
    return 1
