"""The one message of an incident in Slack, updated in place, and its calls, each a message of its own.

Slack has no idempotency key: a message carries the incident, run and call in its metadata, and whoever does not know where it
stands looks there before posting. Two tries in flight at the same instant could still post two; Temporal starts the next only
after the last ended or timed out.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from opsmend.adapters.slack.call import is_for_the_whole_channel, render_call
from opsmend.adapters.slack.client import error_code, slack_call, slack_client
from opsmend.adapters.slack.digest import render_digest
from opsmend.adapters.slack.message import Message, render
from opsmend.adapters.slack.mrkdwn import link, prose
from opsmend.domain.call import BEYOND_THE_TEAM, Call
from opsmend.domain.incident import IncidentState
from opsmend.domain.mentions import MentionRule, mentioned
from opsmend.domain.ports.chat import Alarm, MessageRef, Notice, StormDigest
from opsmend.domain.record import JsonObject
from opsmend.errors import ChatRejectedError, ChatUnavailableError, SettingsError
from opsmend.settings import SlackSettings

ANNOUNCEMENT_EVENT: Final = "opsmend_announcement"

SAID_ALREADY: Final = timedelta(minutes=2)
"""How far back a message with the same key is looked for: several processes of ours see the same thing at the same time."""
ALARM_EVENT: Final = "opsmend_alarm"
CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far Slack's clock and ours may differ: an earlier post is looked for from this long before it was due."""


def slack_chat(settings: SlackSettings) -> "SlackChat":
    """Raises SettingsError: token or channel is missing."""
    if settings.channel is None:
        raise SettingsError("OPSMEND_SLACK__CHANNEL is not set (the id of the channel, such as C0123456789).")
    return SlackChat(slack_client(settings), settings.channel, settings.escalation_channel, settings.mentions)


class SlackChat:
    """Chat over the Web API. `channel` and `escalation_channel` are channel ids (C…): history knows no names."""

    def __init__(
        self,
        client: AsyncWebClient,
        channel: str,
        escalation_channel: str | None = None,
        mentions: Sequence[MentionRule] = (),
    ) -> None:
        self._client = client
        self._channel = channel
        self._escalation_channel = escalation_channel
        self._mentions = mentions
        self._bot_id: str | None = None

    async def publish(self, notice: Notice) -> MessageRef | None:
        refused: list[ChatRejectedError | ChatUnavailableError] = []
        message = notice.message
        try:
            message = await self._place(notice.state.opened_at, notice.message, render(notice))
        except ChatRejectedError as e:
            refused.append(e)
        except ChatUnavailableError as e:
            # Slack limits edits on their own: a call does not wait until this one is taken. Without the message, the call would
            # lose its thread.
            if message is None:
                raise
            refused.append(e)
        if notice.call:
            refused += await self._call(notice.state, notice.call, message)
        if refused:
            raise refused[0]
        return message

    async def tell_digest(self, digest: StormDigest, message: MessageRef | None) -> MessageRef | None:
        return await self._place(digest.since, message, render_digest(digest))

    async def announce(self, text: str, key: str) -> None:
        message = Message(prose(text, 1000), [], {"event_type": ANNOUNCEMENT_EVENT, "event_payload": {"key": key}})
        await self.say_once(message, datetime.now(UTC) - SAID_ALREADY + CLOCK_SKEW)

    async def say_once(self, message: Message, since: datetime) -> None:
        """Post it to the channel of incidents, unless one of ours with the same metadata was posted there after `since`.

        Raises ChatUnavailableError, ChatRejectedError.
        """
        await self._say_once_in(self._channel, message, since)

    async def raise_alarm(self, alarm: Alarm) -> None:
        seen = f"\n{link(alarm.temporal_ui, 'see its history')}" if alarm.temporal_ui else ""
        said = {"event_type": ALARM_EVENT, "event_payload": {"key": alarm.key}}
        message = Message(f"{prose(alarm.text, 2000)}{seen}", [], said)
        await self._say_once_in(self._escalation_channel or self._channel, message, alarm.since)

    async def _say_once_in(self, channel: str, message: Message, since: datetime) -> None:
        if not await self._find(channel, since, message.metadata):
            await self._post(channel, message)

    async def _place(self, since: datetime, known: MessageRef | None, message: Message) -> MessageRef:
        """Update the message that is there; post one only when there is none, or somebody deleted it."""
        if known and await self._update(known, message):
            return known
        earlier = await self._find(self._channel, since, message.metadata)
        if earlier and await self._update(earlier, message):
            return earlier
        return await self._post(self._channel, message)

    async def _call(self, state: IncidentState, call: Call, message: MessageRef | None) -> list[ChatRejectedError]:
        """Say it once in each place where it belongs. A place that refuses it does not keep it from the others."""
        who = mentioned(self._mentions, state.target.namespace, state.severity)
        said = render_call(state, call, who, await self._permalink(message))
        thread = None if is_for_the_whole_channel(who) else message
        refused = []
        for channel, in_thread in self._places(call, thread):
            try:
                if not await self._said(channel, call, said.metadata, in_thread):
                    await self._post(channel, said, in_thread)
            except ChatRejectedError as e:
                refused.append(e)
        return refused

    def _places(self, call: Call, thread: MessageRef | None) -> Iterator[tuple[str, MessageRef | None]]:
        yield (thread.channel if thread else self._channel), thread
        if self._escalation_channel not in (None, self._channel) and call.reason in BEYOND_THE_TEAM:
            yield self._escalation_channel, None

    async def _said(self, channel: str, call: Call, metadata: JsonObject, thread: MessageRef | None) -> MessageRef | None:
        if thread:
            return await self._find_reply(thread, metadata)
        return await self._find(channel, call.at, metadata)

    async def _permalink(self, message: MessageRef | None) -> str:
        if message is None:
            return ""
        try:
            with slack_call("chat.getPermalink"):
                found = await self._client.chat_getPermalink(channel=message.channel, message_ts=message.ts)
        except ChatRejectedError:
            return ""  # a call without its link is still a call
        return str(found["permalink"])

    async def _post(self, channel: str, message: Message, thread: MessageRef | None = None) -> MessageRef:
        """Inside a thread it is shown in the channel as well."""
        with slack_call("chat.postMessage"):
            posted = await self._client.chat_postMessage(
                channel=channel,
                text=message.text,
                blocks=message.blocks or None,
                metadata=message.metadata,
                thread_ts=thread.ts if thread else None,
                reply_broadcast=True if thread else None,
                parse="none",
                unfurl_links=False,
                unfurl_media=False,
            )
        return MessageRef(channel=str(posted["channel"]), ts=str(posted["ts"]))

    async def _update(self, ref: MessageRef, message: Message) -> bool:
        """False when the message is no longer there."""
        with slack_call("chat.update"):
            try:
                await self._client.chat_update(
                    channel=ref.channel,
                    ts=ref.ts,
                    text=message.text,
                    blocks=message.blocks,
                    metadata=message.metadata,
                    parse="none",
                )
            except SlackApiError as e:
                if error_code(e) == "message_not_found":
                    return False
                raise
        return True

    async def _find(self, channel: str, since: datetime, metadata: JsonObject) -> MessageRef | None:
        with slack_call("conversations.history"):
            pages = await self._client.conversations_history(
                channel=channel, oldest=f"{(since - CLOCK_SKEW).timestamp():.6f}", include_all_metadata=True, limit=200
            )
            return await self._first_with(metadata, channel, pages)

    async def _find_reply(self, message: MessageRef, metadata: JsonObject) -> MessageRef | None:
        with slack_call("conversations.replies"):
            pages = await self._client.conversations_replies(
                channel=message.channel, ts=message.ts, include_all_metadata=True, limit=200
            )
            return await self._first_with(metadata, message.channel, pages)

    async def _first_with(self, metadata: JsonObject, channel: str, pages: AsyncSlackResponse) -> MessageRef | None:
        own = await self._own_bot_id()
        async for message in _messages(pages):
            # Any app may write any metadata, so only our own messages count.
            if message.get("bot_id") == own and metadata.items() <= message.get("metadata", {}).items():
                return MessageRef(channel=channel, ts=str(message["ts"]))
        return None

    async def _own_bot_id(self) -> str:
        if self._bot_id is None:
            with slack_call("auth.test"):
                self._bot_id = str((await self._client.auth_test())["bot_id"])
        return self._bot_id


async def _messages(pages: AsyncSlackResponse) -> AsyncIterator[JsonObject]:
    async for page in pages:
        for message in page["messages"]:
            yield message
