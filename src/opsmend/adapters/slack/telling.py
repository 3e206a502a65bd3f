"""Telling people what came of their click or command, also where Slack is away for a while: then it waits for Slack.

Nobody else knows that they clicked, so nobody else would tell them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from opsmend.adapters.slack.chat import SlackChat
from opsmend.adapters.slack.client import CALL_TIMEOUT, slack_call
from opsmend.adapters.slack.message import Message
from opsmend.errors import ChatRejectedError, ChatUnavailableError

log = structlog.get_logger(__name__)

TOLD_WITHIN: Final = timedelta(minutes=30)
"""How long an answer waits for Slack to come back. Who clicked an hour ago has looked elsewhere since. Slack takes an answer
to a command for as long."""
FIRST_PAUSE: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(minutes=1)
MOST_UNTOLD: Final = 100
"""Messages that wait for Slack. Beyond that only the log has them."""


class Teller:
    """Each method returns once it is said, or cannot be: then the log has it."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._untold = 0

    async def tell(self, user_id: str, channel: str, sentence: str) -> None:
        """Only this person reads it, in the channel where they clicked."""

        async def say() -> None:
            with slack_call("chat.postEphemeral"):
                await self._client.chat_postEphemeral(channel=channel, user=user_id, text=sentence, parse="none")

        await self._say(user_id, say)

    async def answer(self, user_id: str, response_url: str, text: str) -> None:
        """Only who gave the command reads it, wherever they gave it: opsmend need not be in that channel."""
        webhook = AsyncWebhookClient(response_url, timeout=int(CALL_TIMEOUT.total_seconds()), retry_handlers=[])
        webhook.proxy = self._client.proxy

        async def say() -> None:
            with slack_call("response_url"):
                answered = await webhook.send(text=text, response_type="ephemeral")
            _must_be_taken(answered.status_code, answered.body)

        await self._say(user_id, say)

    async def announce(self, user_id: str, chat: SlackChat, message: Message, since: datetime) -> None:
        """Everybody in the channel of incidents reads it, once. It is not said again if it was said after `since`."""
        await self._say(user_id, lambda: chat.say_once(message, since))

    async def _say(self, user_id: str, say: Callable[[], Awaitable[None]]) -> None:
        if self._untold >= MOST_UNTOLD:
            log.warning("slack.answer_undelivered", user=user_id, detail=f"{MOST_UNTOLD} answers wait for Slack already")
            return
        self._untold += 1
        try:
            async with asyncio.timeout(TOLD_WITHIN.total_seconds()):
                await _when_slack_answers(user_id, say)
        except (TimeoutError, ChatRejectedError) as e:
            log.warning("slack.answer_undelivered", user=user_id, detail=str(e) or "Slack did not come back")
        finally:
            self._untold -= 1


async def _when_slack_answers(user_id: str, say: Callable[[], Awaitable[None]]) -> None:
    """Raises ChatRejectedError."""
    pause = FIRST_PAUSE
    while True:
        try:
            await say()
        except ChatUnavailableError as away:
            log.info("slack.answer_waits", user=user_id, detail=str(away))
            await asyncio.sleep(max(pause, away.retry_after or pause).total_seconds())
            pause = min(2 * pause, LONGEST_PAUSE)
        else:
            return


def _must_be_taken(status: int, body: str) -> None:
    if status == HTTPStatus.OK:
        return
    failure = f"Slack response_url: {status} {body[:100]}"
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ChatUnavailableError(failure)
    raise ChatRejectedError(failure)
