"""Approve, Reject, and the reason for a rejection."""

import structlog
from pydantic import ValidationError
from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from opsmend.adapters.slack.answers import sentence_for
from opsmend.adapters.slack.client import slack_call
from opsmend.adapters.slack.interactions import channel_of, value_of
from opsmend.adapters.slack.message import Question
from opsmend.adapters.slack.modal import Rejection, reason_modal, rejection_in
from opsmend.adapters.slack.people import People
from opsmend.adapters.slack.telling import Teller
from opsmend.domain.approval import Answer, DecisionRequest
from opsmend.domain.ports.desk import IncidentDesk
from opsmend.domain.record import JsonObject
from opsmend.errors import BadPayloadError, OpsmendError

log = structlog.get_logger(__name__)


class Decisions:
    """The listeners. Each acknowledges first, and hands to the desk what it is told and who says so."""

    def __init__(self, desk: IncidentDesk, client: AsyncWebClient, people: People, teller: Teller) -> None:
        self._desk = desk
        self._client = client
        self._people = people
        self._teller = teller

    async def approve(self, ack: AsyncAck, body: JsonObject) -> None:
        await ack()
        try:
            question = _question(body)
            person = await self._people.person(body["user"])
            request = DecisionRequest(plan_hash=question.plan_hash, decision=Answer.APPROVE, by=person)
            await self._desk.decide(question.incident_id, request)
        except OpsmendError as refusal:
            await self._tell(body["user"]["id"], channel_of(body), refusal)

    async def ask_for_reason(self, ack: AsyncAck, body: JsonObject) -> None:
        await ack()
        try:
            modal = reason_modal(Rejection(question=_question(body), channel=channel_of(body)))
            with slack_call("views.open"):
                await self._client.views_open(trigger_id=body["trigger_id"], view=modal)
        except OpsmendError as refusal:
            await self._tell(body["user"]["id"], channel_of(body), refusal)

    async def reject(self, ack: AsyncAck, body: JsonObject) -> None:
        await ack()
        rejection, reason = rejection_in(body["view"])
        question = rejection.question
        try:
            person = await self._people.person(body["user"])
            request = DecisionRequest(plan_hash=question.plan_hash, decision=Answer.REJECT, by=person, reason=reason)
            await self._desk.decide(question.incident_id, request)
        except OpsmendError as refusal:
            await self._tell(body["user"]["id"], rejection.channel, refusal)

    async def _tell(self, user_id: str, channel: str, refusal: OpsmendError) -> None:
        log.info("slack.decision_refused", user=user_id, refusal=type(refusal).__name__, detail=str(refusal))
        await self._teller.tell(user_id, channel, sentence_for(refusal))


def _question(body: JsonObject) -> Question:
    """Raises BadPayloadError."""
    try:
        return Question.model_validate_json(value_of(body))
    except ValidationError as e:
        raise BadPayloadError("the button carries no question of ours") from e
