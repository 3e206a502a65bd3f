"""What people click in Slack: Approve, Reject, and the reason for a rejection.

A click is acknowledged at once (Slack waits three seconds) and then given to the desk, which alone knows whether the question
still stands and whether this person may answer it. What the button carries is a claim. Slack is asked nothing before the
acknowledgement. Whatever the desk refuses, only the person who clicked gets to read; while Slack is away, once it is back.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Final

import structlog
from fastapi import Response
from pydantic import SecretStr, ValidationError
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import to_starlette_response
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from opsmend.adapters.slack.answers import sentence_for
from opsmend.adapters.slack.client import slack_call, slack_client
from opsmend.adapters.slack.groups import UserGroups
from opsmend.adapters.slack.interactions import FORM, JSON, interaction_in
from opsmend.adapters.slack.message import APPROVE_ACTION, REJECT_ACTION, Question
from opsmend.adapters.slack.modal import REASON_CALLBACK, Rejection, reason_modal, rejection_in
from opsmend.adapters.slack.workspace import Workspace
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

FRESH_FOR: Final = timedelta(minutes=5)
"""How old a signed request may be, or how far ahead: https://docs.slack.dev/authentication/verifying-requests-from-slack"""

TOLD_WITHIN: Final = timedelta(minutes=30)
"""How long an answer waits for Slack to come back. Who clicked an hour ago has looked elsewhere since."""
FIRST_PAUSE: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(minutes=1)
MOST_UNTOLD: Final = 100
"""People who wait for such an answer. Beyond that only the log has it."""

_TIMESTAMP: Final = "x-slack-request-timestamp"
_SIGNATURE: Final = "x-slack-signature"
_SECONDS: Final = re.compile(r"[0-9]{1,15}")
_SIGNED: Final = re.compile(r"v0=[0-9a-f]{64}")


def build_slack_app(settings: SlackSettings, desk: IncidentDesk) -> AsyncApp:
    """The app behind both HTTP and Socket Mode.

    Raises:
        SettingsError: no bot token, or neither a signing secret (HTTP) nor an app token (Socket Mode).
    """
    if settings.signing_secret is None and settings.app_token is None:
        raise SettingsError("Set OPSMEND_SLACK__SIGNING_SECRET (HTTP) or OPSMEND_SLACK__APP_TOKEN (Socket Mode).")
    client, without_token = slack_client(settings), slack_client(settings)
    without_token.token = None

    async def authorize() -> AuthorizeResult:
        # With a token of its own Bolt asks Slack who we are before it acknowledges, and answers 500 while Slack is away.
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=client.token)

    # Bolt sets the level of the logger of this name: it must not be the parent of ours.
    app = AsyncApp(
        name="slack_bolt.opsmend",
        client=without_token,
        authorize=authorize,
        signing_secret=_secret(settings),
        ignoring_self_events_enabled=False,
    )
    clicks = Clicks(desk, client, UserGroups(client), Workspace(client))
    app.action(APPROVE_ACTION)(clicks.approve)
    app.action(REJECT_ACTION)(clicks.ask_for_reason)
    app.view(REASON_CALLBACK)(clicks.reject)
    return app


def _secret(settings: SlackSettings) -> str:
    """Without a secret nothing that comes over HTTP can be genuine. An unguessable one refuses it all; an empty one would let
    anybody sign."""
    secret = settings.signing_secret.get_secret_value() if settings.signing_secret else ""
    return secret or secrets.token_hex(32)


class SlackRequests:
    """What Slack posts in HTTP mode (a SignedSender of the API)."""

    media: tuple[str, ...] = (FORM, JSON)

    def __init__(self, settings: SlackSettings, app: AsyncApp) -> None:
        self._key = _secret(settings).encode()
        self._app = app

    def may_have_signed(self, headers: Mapping[str, str]) -> bool:
        moment, signature = headers.get(_TIMESTAMP, ""), headers.get(_SIGNATURE, "")
        if not _SECONDS.fullmatch(moment) or not _SIGNED.fullmatch(signature):
            return False
        return abs(time.time() - int(moment)) <= FRESH_FOR.total_seconds()

    def has_signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        # Over the bytes as they came: Bolt's own check stumbles over text that is no UTF-8.
        signed = f"v0:{headers[_TIMESTAMP]}:".encode() + body
        expected = f"v0={hmac.new(self._key, signed, hashlib.sha256).hexdigest()}"
        return hmac.compare_digest(expected, headers[_SIGNATURE])

    async def take(self, headers: Mapping[str, str], media: str, body: bytes) -> Response:
        """Raises BadPayloadError."""
        payload = interaction_in(media, body)
        if payload["type"] == "view_submission" and payload["view"]["callback_id"] == REASON_CALLBACK:
            rejection_in(payload["view"])
        try:
            # Verified and parsed, as what comes over the WebSocket is.
            request = AsyncBoltRequest(mode="socket_mode", body=payload, headers=dict(headers))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as foreign:
            # Bolt reads more of it than we do, and expects what it reads to be as Slack writes it.
            raise BadPayloadError("The payload is not built as Slack's are.") from foreign
        answer = await self._app.async_dispatch(request)
        if answer.status == HTTPStatus.NOT_FOUND:
            raise BadPayloadError("The button or form is not one of opsmend's.")
        return to_starlette_response(answer)


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

    def __init__(self, desk: IncidentDesk, client: AsyncWebClient, groups: UserGroups, workspace: Workspace) -> None:
        self._desk = desk
        self._client = client
        self._groups = groups
        self._workspace = workspace
        self._untold = 0

    async def approve(self, ack: AsyncAck, body: JsonObject) -> None:
        await ack()
        try:
            question = _question(body)
            person = await self._person(body["user"])
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

    async def reject(self, ack: AsyncAck, body: JsonObject) -> None:
        await ack()
        rejection, reason = rejection_in(body["view"])
        question = rejection.question
        try:
            person = await self._person(body["user"])
            request = DecisionRequest(plan_hash=question.plan_hash, decision=Answer.REJECT, by=person, reason=reason)
            await self._desk.decide(question.incident_id, request)
        except OpsmendError as refusal:
            await self._tell(body["user"]["id"], rejection.channel, refusal)

    async def _person(self, user: JsonObject) -> Person:
        """Raises PolicyRefusedError for people of other workspaces, and what asking Slack about them raises."""
        if (await self._workspace.home()).is_stranger(user):
            raise PolicyRefusedError("only people of this workspace decide, not those of a shared channel.")
        name = user.get("username") or user.get("name") or ""
        return Person(via="slack", id=user["id"], name=name, groups=await self._groups.of(user["id"]))

    async def _tell(self, user_id: str, channel: str, refusal: OpsmendError) -> None:
        """Only the person who clicked reads it. While Slack is away it waits for it, as nobody else knows that they clicked."""
        log.info("slack.decision_refused", user=user_id, refusal=type(refusal).__name__, detail=str(refusal))
        if self._untold >= MOST_UNTOLD:
            log.warning("slack.answer_undelivered", user=user_id, detail=f"{MOST_UNTOLD} answers wait for Slack already")
            return
        self._untold += 1
        try:
            async with asyncio.timeout(TOLD_WITHIN.total_seconds()):
                await self._tell_when_it_answers(user_id, channel, sentence_for(refusal))
        except (TimeoutError, ChatRejectedError) as e:
            log.warning("slack.answer_undelivered", user=user_id, detail=str(e) or "Slack did not come back")
        finally:
            self._untold -= 1

    async def _tell_when_it_answers(self, user_id: str, channel: str, sentence: str) -> None:
        """Raises ChatRejectedError."""
        pause = FIRST_PAUSE
        while True:
            try:
                with slack_call("chat.postEphemeral"):
                    await self._client.chat_postEphemeral(channel=channel, user=user_id, text=sentence, parse="none")
            except ChatUnavailableError as away:
                log.info("slack.answer_waits", user=user_id, detail=str(away))
                await asyncio.sleep(max(pause, away.retry_after or pause).total_seconds())
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                return


def _question(body: JsonObject) -> Question:
    """Raises BadPayloadError."""
    try:
        return Question.model_validate_json(body["actions"][0].get("value", ""))
    except ValidationError as e:
        raise BadPayloadError("the button carries no question of ours") from e


def _channel(body: JsonObject) -> str:
    return str(body["container"]["channel_id"])
