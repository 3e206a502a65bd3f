"""What people click in Slack: Approve, Reject, and the reason for a rejection.

A click is acknowledged at once (Slack waits three seconds) and then given to the desk, which alone knows whether the question
still stands and whether this person may answer it. What the button carries is a claim. Whatever the desk refuses, only the
person who clicked gets to read.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import SecretStr, ValidationError
from slack_bolt.adapter.fastapi.async_handler import AsyncSlackRequestHandler
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from opsmend.adapters.slack.answers import sentence_for
from opsmend.adapters.slack.client import slack_call, slack_client
from opsmend.adapters.slack.groups import UserGroups
from opsmend.adapters.slack.message import APPROVE_ACTION, REJECT_ACTION, Question
from opsmend.adapters.slack.modal import REASON_CALLBACK, Rejection, reason_modal, reason_of
from opsmend.domain.approval import Answer, DecisionRequest, Person
from opsmend.domain.ports.desk import IncidentDesk
from opsmend.domain.record import JsonObject
from opsmend.errors import (
    BadPayloadError,
    ChatRejectedError,
    ChatUnavailableError,
    OpsmendError,
    PolicyRefusedError,
    SettingsError,
)
from opsmend.settings import SlackSettings

log = structlog.get_logger(__name__)

EVENTS_PATH: Final = "/v1/slack/events"


def build_slack_app(settings: SlackSettings, desk: IncidentDesk) -> AsyncApp:
    """The app behind both HTTP and Socket Mode.

    Raises:
        SettingsError: no bot token, or neither a signing secret (HTTP) nor an app token (Socket Mode).
    """
    if settings.signing_secret is None and settings.app_token is None:
        raise SettingsError("Set OPSMEND_SLACK__SIGNING_SECRET (HTTP) or OPSMEND_SLACK__APP_TOKEN (Socket Mode).")
    # Without a secret nothing that comes over HTTP can be genuine. An unguessable one refuses it all; an empty one would let
    # anybody sign.
    secret = settings.signing_secret.get_secret_value() if settings.signing_secret else ""
    client = slack_client(settings)
    # Bolt sets the level of the logger of this name: it must not be the parent of ours.
    app = AsyncApp(name="slack_bolt.opsmend", client=client, signing_secret=secret or secrets.token_hex(32))
    clicks = Clicks(desk, client, UserGroups(client))
    app.action(APPROVE_ACTION)(clicks.approve)
    app.action(REJECT_ACTION)(clicks.ask_for_reason)
    app.view(REASON_CALLBACK)(clicks.reject)
    return app


def slack_router(app: AsyncApp) -> APIRouter:
    """Where Slack posts interactions in HTTP mode; 401 for a wrong signature or one older than five minutes."""
    router = APIRouter()
    handler = AsyncSlackRequestHandler(app)

    async def slack_events(request: Request) -> Response:
        return await handler.handle(request)

    router.add_api_route(EVENTS_PATH, slack_events, methods=["POST"], include_in_schema=False)
    return router


@asynccontextmanager
async def socket_mode(app: AsyncApp, app_token: SecretStr) -> AsyncIterator[AsyncSocketModeHandler]:
    """Receive clicks over a WebSocket while open. Connects in the background and again whenever the connection is lost,
    so that Slack being away keeps nothing else from starting."""
    handler = AsyncSocketModeHandler(app, app_token.get_secret_value(), proxy=app.client.proxy)
    connecting = asyncio.create_task(handler.connect_async())  # type: ignore[no-untyped-call]
    try:
        yield handler
    finally:
        connecting.cancel()
        await asyncio.wait([connecting])
        await handler.close_async()  # type: ignore[no-untyped-call]


class Clicks:
    """The listeners. Each acknowledges first, and hands to the desk what it is told and who says so."""

    def __init__(self, desk: IncidentDesk, client: AsyncWebClient, groups: UserGroups) -> None:
        self._desk = desk
        self._client = client
        self._groups = groups

    async def approve(self, ack: AsyncAck, body: JsonObject, context: AsyncBoltContext) -> None:
        await ack()
        try:
            question = _question(body)
            person = await self._person(body["user"], context)
            request = DecisionRequest(plan_hash=question.plan_hash, decision=Answer.APPROVE, by=person)
            await self._desk.decide(question.incident_id, request)
        except OpsmendError as refusal:
            await self._tell(body["user"]["id"], _channel(body), refusal)

    async def ask_for_reason(self, ack: AsyncAck, body: JsonObject) -> None:
        await ack()
        try:
            modal = reason_modal(Rejection(question=_question(body), channel=_channel(body)))
            with slack_call("views.open"):
                await self._client.views_open(trigger_id=body["trigger_id"], view=modal)
        except OpsmendError as refusal:
            await self._tell(body["user"]["id"], _channel(body), refusal)

    async def reject(self, ack: AsyncAck, body: JsonObject, context: AsyncBoltContext) -> None:
        await ack()
        rejection = Rejection.model_validate_json(body["view"]["private_metadata"])
        question = rejection.question
        try:
            person = await self._person(body["user"], context)
            reason = reason_of(body["view"])
            request = DecisionRequest(plan_hash=question.plan_hash, decision=Answer.REJECT, by=person, reason=reason)
            await self._desk.decide(question.incident_id, request)
        except OpsmendError as refusal:
            await self._tell(body["user"]["id"], rejection.channel, refusal)

    async def _person(self, user: JsonObject, context: AsyncBoltContext) -> Person:
        """Raises PolicyRefusedError for people of other workspaces, and what the look-up of the user groups raises."""
        if _is_outsider(user, context):
            raise PolicyRefusedError("only people of this workspace decide, not those of a shared channel.")
        name = user.get("username") or user.get("name") or ""
        return Person(via="slack", id=user["id"], name=name, groups=await self._groups.of(user["id"]))

    async def _tell(self, user_id: str, channel: str, refusal: OpsmendError) -> None:
        """Only the person who clicked reads it. When Slack takes not even that, the log is all that is left."""
        log.info("slack.decision_refused", user=user_id, refusal=type(refusal).__name__, detail=str(refusal))
        try:
            with slack_call("chat.postEphemeral"):
                await self._client.chat_postEphemeral(channel=channel, user=user_id, text=sentence_for(refusal), parse="none")
        except (ChatUnavailableError, ChatRejectedError) as e:
            log.warning("slack.answer_undelivered", user=user_id, detail=str(e))


def _question(body: JsonObject) -> Question:
    """Raises BadPayloadError."""
    try:
        return Question.model_validate_json(body["actions"][0].get("value", ""))
    except ValidationError as e:
        raise BadPayloadError("the button carries no question of ours") from e


def _channel(body: JsonObject) -> str:
    return str(body["container"]["channel_id"])


def _is_outsider(user: JsonObject, context: AsyncBoltContext) -> bool:
    """Whether Slack Connect brought them in. Within an organisation (Enterprise Grid) workspaces share their people, so there
    the user groups alone decide."""
    home = context.authorize_result
    if home is None:
        return True
    return not home.enterprise_id and user.get("team_id") not in (None, home.team_id)
