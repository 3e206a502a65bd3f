"""What people click and type in Slack: answers to a question, steering of an incident, pauses of all changes.

Each is acknowledged at once (Slack waits three seconds). Then it is handed to the workflow, which alone knows whether it still
makes sense and whether this person may do it. What a button carries is a claim. Slack is asked nothing before the
acknowledgement. Only the person who did it reads what came of it; while Slack is away, they read it once Slack is back.
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

from fastapi import Response
from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import to_starlette_response
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult

from opsmend.adapters.slack.chat import slack_chat
from opsmend.adapters.slack.client import slack_client
from opsmend.adapters.slack.commands import COMMAND, ChangeCommands
from opsmend.adapters.slack.decisions import Decisions
from opsmend.adapters.slack.interactions import FORM, JSON, interaction_in
from opsmend.adapters.slack.message import APPROVE_ACTION, REJECT_ACTION
from opsmend.adapters.slack.modal import REASON_CALLBACK, rejection_in
from opsmend.adapters.slack.people import People
from opsmend.adapters.slack.steering import SteeringClicks
from opsmend.adapters.slack.steering_buttons import SNOOZE_ACTION, STOP_ACTION, TAKE_OVER_ACTION, WRONG_ACTION
from opsmend.adapters.slack.telling import Teller
from opsmend.domain.ports.change_control import ChangeControl
from opsmend.domain.ports.desk import IncidentDesk
from opsmend.domain.ports.steering import IncidentSteering
from opsmend.errors import BadPayloadError, SettingsError
from opsmend.settings import SlackSettings

EVENTS_PATH: Final = "/v1/slack/events"

FRESH_FOR: Final = timedelta(minutes=5)
"""How old a signed request may be, or how far ahead: https://docs.slack.dev/authentication/verifying-requests-from-slack"""

_TIMESTAMP: Final = "x-slack-request-timestamp"
_SIGNATURE: Final = "x-slack-signature"
_SECONDS: Final = re.compile(r"[0-9]{1,15}")
_SIGNED: Final = re.compile(r"v0=[0-9a-f]{64}")


def build_slack_app(
    settings: SlackSettings, desk: IncidentDesk, steering: IncidentSteering, control: ChangeControl
) -> AsyncApp:
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
    people, teller = People(client), Teller(client)
    _listen_to_decisions(app, Decisions(desk, client, people, teller))
    _listen_to_steering(app, SteeringClicks(desk, steering, people, teller))
    chat = slack_chat(settings) if settings.channel else None
    app.command(COMMAND)(ChangeCommands(control, people, teller, chat).take)
    return app


def _listen_to_decisions(app: AsyncApp, decisions: Decisions) -> None:
    app.action(APPROVE_ACTION)(decisions.approve)
    app.action(REJECT_ACTION)(decisions.ask_for_reason)
    app.view(REASON_CALLBACK)(decisions.reject)


def _listen_to_steering(app: AsyncApp, clicks: SteeringClicks) -> None:
    app.action(TAKE_OVER_ACTION)(clicks.take_over)
    app.action(SNOOZE_ACTION)(clicks.snooze)
    app.action(STOP_ACTION)(clicks.stop)
    app.action(WRONG_ACTION)(clicks.mark_wrong)


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
        if payload.get("type") == "view_submission" and payload["view"]["callback_id"] == REASON_CALLBACK:
            rejection_in(payload["view"])
        try:
            # Verified and parsed, as what comes over the WebSocket is.
            request = AsyncBoltRequest(mode="socket_mode", body=payload, headers=dict(headers))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as foreign:
            # Bolt reads more of it than we do, and expects what it reads to be as Slack writes it.
            raise BadPayloadError("The payload is not built as Slack's are.") from foreign
        answer = await self._app.async_dispatch(request)
        if answer.status == HTTPStatus.NOT_FOUND:
            raise BadPayloadError("The button, form or command is not one of opsmend's.")
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
