"""Take over, Snooze, Stop, Diagnosis is wrong: the buttons below an incident."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from pydantic import ValidationError
from slack_bolt.async_app import AsyncAck

from opsmend.adapters.slack.answers import steering_sentence_for
from opsmend.adapters.slack.interactions import channel_of, value_of
from opsmend.adapters.slack.mrkdwn import prose
from opsmend.adapters.slack.people import People
from opsmend.adapters.slack.steering_buttons import SteeredIncident
from opsmend.adapters.slack.telling import Teller
from opsmend.domain.approval import Person
from opsmend.domain.ports.desk import IncidentDesk
from opsmend.domain.ports.steering import IncidentSteering
from opsmend.domain.record import JsonObject
from opsmend.domain.steering import Snooze, Steered, Stop, TakeOver, WrongDiagnosis
from opsmend.errors import BadPayloadError, IncidentClosedError, OpsmendError

log = structlog.get_logger(__name__)

SNOOZED_FOR: Final = timedelta(hours=1)
"""The button says it. Whoever wants another length uses `opsmend snooze`."""

Act = Callable[[SteeredIncident, Person], Awaitable[Steered]]


class SteeringClicks:
    """The listeners. Each acknowledges first. A workflow asks policy about the person, who is told what came of it."""

    def __init__(self, desk: IncidentDesk, steering: IncidentSteering, people: People, teller: Teller) -> None:
        self._desk = desk
        self._steering = steering
        self._people = people
        self._teller = teller

    async def take_over(self, ack: AsyncAck, body: JsonObject) -> None:
        async def act(about: SteeredIncident, by: Person) -> Steered:
            await self._must_be_latest(about)
            return await self._steering.take_over(about.incident_id, TakeOver(by=by))

        await self._steer(ack, body, act)

    async def snooze(self, ack: AsyncAck, body: JsonObject) -> None:
        async def act(about: SteeredIncident, by: Person) -> Steered:
            await self._must_be_latest(about)
            return await self._steering.snooze(about.incident_id, Snooze(by=by, until=datetime.now(UTC) + SNOOZED_FOR))

        await self._steer(ack, body, act)

    async def stop(self, ack: AsyncAck, body: JsonObject) -> None:
        async def act(about: SteeredIncident, by: Person) -> Steered:
            await self._must_be_latest(about)
            return await self._steering.stop(about.incident_id, Stop(by=by))

        await self._steer(ack, body, act)

    async def mark_wrong(self, ack: AsyncAck, body: JsonObject) -> None:
        async def act(about: SteeredIncident, by: Person) -> Steered:
            return await self._steering.mark_wrong(about.incident_id, about.run_id, WrongDiagnosis(by=by))

        await self._steer(ack, body, act)

    async def _steer(self, ack: AsyncAck, body: JsonObject, act: Act) -> None:
        await ack()
        user_id: str = body["user"]["id"]
        try:
            steered = await act(_about(body), await self._people.person(body["user"]))
        except OpsmendError as refusal:
            log.info("slack.steering_refused", user=user_id, refusal=type(refusal).__name__, detail=str(refusal))
            said = steering_sentence_for(refusal)
        else:
            log.info("incident.steered", incident_id=steered.incident_id, what=steered.what, user=user_id)
            said = f"Done: {prose(steered.what, 500)}."
        await self._teller.tell(user_id, channel_of(body), said)

    async def _must_be_latest(self, about: SteeredIncident) -> None:
        """A message that nobody redrew must not steer the next outbreak, which has the same id. Raises IncidentClosedError."""
        if (await self._desk.get(about.incident_id)).run_id != about.run_id:
            raise IncidentClosedError("this message is about an earlier outbreak. The newest message has the buttons")


def _about(body: JsonObject) -> SteeredIncident:
    """Raises BadPayloadError."""
    try:
        return SteeredIncident.model_validate_json(value_of(body))
    except ValidationError as e:
        raise BadPayloadError("the button carries no incident of ours") from e
