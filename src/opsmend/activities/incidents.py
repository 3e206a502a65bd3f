"""Telling people about an incident, and keeping what was learned from it.

The incident's state comes with the request. A try that comes late asks the workflow itself: it tells what is true when it gets
through, not when it was scheduled.
"""

from datetime import timedelta
from typing import Final

from temporalio import activity

from opsmend.activities.postmortem import write_postmortem
from opsmend.domain.alert import Alert
from opsmend.domain.incident import IncidentState
from opsmend.domain.ports.chat import Chat, MessageRef, Notice
from opsmend.domain.ports.desk import IncidentDesk
from opsmend.domain.ports.memory import Memory
from opsmend.domain.postmortem import PostMortem
from opsmend.domain.record import Handed, Record, View
from opsmend.domain.target import Target
from opsmend.errors import PermanentError, bounded

_LATE: Final = timedelta(seconds=10)
"""After its activity was scheduled: more than a chat that is well needs, less than a person takes to answer."""


class AboutIncident(Handed, View):
    """`state` is that of the moment in which this was scheduled; None in what was scheduled before 0.2."""

    incident_id: str
    run_id: str
    state: IncidentState | None = None


class PublishRequest(AboutIncident):
    message: MessageRef | None
    attention: str = ""


class Published(Record):
    """None where the channel has no messages."""

    message: MessageRef | None


class PostMortemRequest(AboutIncident):
    """The incident is closed."""


class GroupUnderNode(Handed):
    """Alerts that `node` caused, of an incident that waits for it."""

    node: Target
    alerts: tuple[Alert, ...]


class HandBack(Handed):
    """Alerts that the incident of a node does not answer for any more; of any targets."""

    alerts: tuple[Alert, ...]


class HandedBack(Record):
    """Each is with the incident of its own target, except those that none will ever take; `refused` says which and why."""

    refused: tuple[str, ...] = ()


class IncidentActivities:
    def __init__(self, desk: IncidentDesk, chat: Chat, memory: Memory) -> None:
        self._desk = desk
        self._chat = chat
        self._memory = memory

    @activity.defn(name="chat.publish_incident")
    async def publish_incident(self, request: PublishRequest) -> Published:
        """Post or update the one message of the incident. Twice is harmless: the chat finds the message of an earlier try."""
        state = await self._state(request)
        notice = Notice(
            state=state,
            message=request.message,
            attention=request.attention,
            temporal_ui=self._desk.ui_link(state.id, state.present_run),
        )
        return Published(message=await self._chat.publish(notice))

    @activity.defn(name="postmortem.write")
    async def write_postmortem(self, request: PostMortemRequest) -> PostMortem:
        """Write it from the incident's state. Reads only, so twice is harmless."""
        return write_postmortem(await self._state(request))

    @activity.defn(name="memory.remember_postmortem")
    async def remember_postmortem(self, postmortem: PostMortem) -> None:
        """Twice is harmless: memory keeps one entry a run."""
        await self._memory.remember(postmortem)

    @activity.defn(name="incident.group_under_node")
    async def group_under_node(self, request: GroupUnderNode) -> None:
        """Twice is harmless: a resend."""
        await self._desk.group_under(request.node, request.alerts)

    @activity.defn(name="incident.hand_back")
    async def hand_back(self, request: HandBack) -> HandedBack | None:
        """Twice is harmless: a resend."""
        by_target: dict[str, list[Alert]] = {}
        for alert in request.alerts:
            by_target.setdefault(alert.target.incident_id, []).append(alert)
        refused = []
        for alerts in by_target.values():
            try:
                await self._desk.submit(alerts[0].target, tuple(alerts), alone=True)
            except PermanentError as e:
                refused.append(f"{alerts[0].target}: {bounded(str(e))}")
        return HandedBack(refused=tuple(refused))

    async def _state(self, request: AboutIncident) -> IncidentState:
        info = activity.info()
        if request.state and info.started_time - info.scheduled_time < _LATE:
            return request.state
        return await self._desk.get(request.incident_id, request.run_id)
