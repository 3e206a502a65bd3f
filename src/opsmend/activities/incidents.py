"""Telling people about an incident, and keeping what was learned from it."""

from datetime import timedelta

from pydantic import Field
from temporalio import activity

from opsmend.activities.about_incident import AboutIncident, state_of, still_needed
from opsmend.activities.postmortem import write_postmortem
from opsmend.domain.alert import Alert
from opsmend.domain.call import Call, CallReason
from opsmend.domain.incident import IncidentState, Outcome
from opsmend.domain.ports.chat import Chat, MessageRef, Notice
from opsmend.domain.ports.desk import IncidentDesk
from opsmend.domain.ports.first_messages import FirstMessages
from opsmend.domain.ports.memory import Memory
from opsmend.domain.ports.steering import IncidentSteering
from opsmend.domain.postmortem import PostMortem
from opsmend.domain.record import Handed, Record
from opsmend.domain.target import Target
from opsmend.domain.untold import Untold
from opsmend.errors import PermanentError, bounded


class PublishRequest(AboutIncident):
    message: MessageRef | None
    may_wait: bool = False
    """Whether the workflow knows how to wait for room for its first message. Runs of an older version do not."""
    call: Call | None = None
    """The call that is due."""
    attention: str = ""
    """A sentence: runs of an older version call with it."""


class Published(Record):
    """None where the channel has no messages, and while there is no room for a new one."""

    message: MessageRef | None
    wait: timedelta = Field(default=timedelta(0), exclude_if=lambda wait: not wait)
    """How long until there may be room. Nothing was told until then, but by the digest."""


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
    def __init__(
        self,
        desk: IncidentDesk,
        steering: IncidentSteering,
        chat: Chat,
        memory: Memory,
        first_messages: FirstMessages | None = None,
    ) -> None:
        """Without `first_messages` as many new messages are posted as there are incidents."""
        self._desk = desk
        self._steering = steering
        self._chat = chat
        self._memory = memory
        self._first_messages = first_messages

    @activity.defn(name="chat.publish_incident")
    async def publish_incident(self, request: PublishRequest) -> Published:
        """Post or update the incident's one message, and call. Twice is harmless: the chat finds what an earlier try said.

        A first message waits for room; one with a call does not.
        """
        state = await state_of(request, self._desk)
        call = request.call or _called_by_attention(request, state)
        notice = Notice(
            state=state,
            message=request.message,
            call=call if call and still_needed(call, request.state, state) else None,
            temporal_ui=self._desk.ui_link(state.id, state.present_run),
        )
        if request.message or not request.may_wait or not self._first_messages:
            return Published(message=await self._chat.publish(notice))
        if not notice.call and (wait := await self._first_messages.room_in(_untold(notice))):
            return Published(message=None, wait=wait)
        message = await self._chat.publish(notice)
        if notice.call:
            await self._first_messages.is_told(state.run_id)
        return Published(message=message)

    @activity.defn(name="postmortem.write")
    async def write_postmortem(self, request: PostMortemRequest) -> PostMortem:
        """Write it from the incident's state. Reads only, so twice is harmless."""
        return write_postmortem(await state_of(request, self._desk))

    @activity.defn(name="memory.remember_postmortem")
    async def remember_postmortem(self, postmortem: PostMortem) -> None:
        """Twice is harmless: memory keeps one entry a run. A diagnosis that somebody marked as wrong is not remembered."""
        if not await self._steering.is_marked_wrong(postmortem.incident_id, postmortem.run_id):
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


def _untold(notice: Notice) -> Untold:
    state = notice.state
    return Untold(
        incident_id=state.id,
        run_id=state.run_id,
        target=state.target,
        severity=state.severity,
        temporal_ui=notice.temporal_ui,
    )


def _called_by_attention(request: PublishRequest, state: IncidentState) -> Call | None:
    """The same call for every try of this activity, and another one for every other activity."""
    if not request.attention:
        return None
    escalated = state.escalations > 0 or state.outcome is Outcome.ESCALATED
    info = activity.info()
    return Call(
        reason=CallReason.NEEDS_PERSON if escalated else CallReason.REMINDER,
        text=request.attention,
        key=f"activity-{info.activity_id}",
        at=info.scheduled_time,
    )
