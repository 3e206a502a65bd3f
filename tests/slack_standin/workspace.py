"""The state of the workspace: people, channels, messages, forms. No I/O."""

import copy
import itertools
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.slack_standin.faults import SlackError

TRIGGER_SECONDS: Final = 3
RESPONSE_URL_SECONDS: Final = 30 * 60
RESPONSE_URL_USES: Final = 5

BOT_SCOPES: Final = frozenset({"chat:write", "channels:history", "commands", "groups:history", "usergroups:read"})
"""What the manifest in deploy/slack asks for; a test holds the two together."""

Message = dict[str, Any]
"""A message as Slack returns it: `ts`, `text`, `blocks`, `bot_id`, `metadata`, …"""


@dataclass
class Channel:
    id: str
    name: str
    members: set[str] = field(default_factory=set)
    messages: dict[str, Message] = field(default_factory=dict)
    """By ts, oldest first, replies included."""


@dataclass
class User:
    id: str
    name: str
    team_id: str = "T0OPSMEND"
    active: bool = True
    """Whether the green dot is on: `@here` means those."""


@dataclass
class Usergroup:
    id: str
    handle: str
    users: set[str] = field(default_factory=set)
    date_delete: int = 0


@dataclass
class Ephemeral:
    """A message that only `user` sees."""

    channel: str
    user: str
    text: str


@dataclass(frozen=True)
class Notification:
    """A phone that buzzes."""

    user: str
    channel: str
    ts: str


@dataclass
class ResponseUrl:
    channel: str
    user: str
    message_ts: str
    made_at: float
    uses: int = 0


@dataclass
class OpenView:
    """A modal on `user`'s screen."""

    id: str
    user: str
    view: dict[str, Any]
    open: bool = True
    errors: dict[str, str] = field(default_factory=dict)
    """What the app said about the last submission, by block id."""


def stands_in_channel(message: Message) -> bool:
    return message.get("thread_ts", message["ts"]) == message["ts"] or message.get("subtype") == "thread_broadcast"


class Workspace:
    """One team with one installed app. `clock` gives seconds since the epoch."""

    def __init__(self, clock: Callable[[], float] = time.time, scopes: frozenset[str] = BOT_SCOPES) -> None:
        self.clock = clock
        self.scopes = scopes
        self.team_id = "T0OPSMEND"
        self.app_id = "A0OPSMEND"
        self.bot_id = "B0OPSMEND"
        self.bot_user = "U0OPSMEND"
        self.bot_token = f"xoxb-{secrets.token_hex(12)}"
        self.app_token = f"xapp-{secrets.token_hex(12)}"
        self.signing_secret = secrets.token_hex(16)
        self.users: dict[str, User] = {self.bot_user: User(self.bot_user, "opsmend")}
        self.channels: dict[str, Channel] = {}
        self.usergroups: dict[str, Usergroup] = {}
        self.ephemerals: list[Ephemeral] = []
        self.notifications: list[Notification] = []
        """In their order. Posting makes them; editing makes none."""
        self.views: dict[str, OpenView] = {}
        self.triggers: dict[str, tuple[str, float]] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self._last_ts = 0
        self._numbers = itertools.count(1)

    # --- setting up ---

    def add_user(self, name: str, *, team_id: str | None = None) -> User:
        user = User(f"U{next(self._numbers):010d}", name, team_id or self.team_id)
        self.users[user.id] = user
        for channel in self.channels.values():
            channel.members.add(user.id)
        return user

    def add_channel(self, name: str, *, with_bot: bool = True) -> Channel:
        """All users are in it; the bot too unless told otherwise."""
        channel = Channel(f"C{next(self._numbers):010d}", name, set(self.users))
        if not with_bot:
            channel.members.discard(self.bot_user)
        self.channels[channel.id] = channel
        return channel

    def add_usergroup(self, handle: str, *users: User) -> Usergroup:
        group = Usergroup(f"S{next(self._numbers):010d}", handle, {user.id for user in users})
        self.usergroups[group.id] = group
        return group

    # --- looking ---

    def messages(self, channel: str) -> list[Message]:
        """Copies of the channel's messages as somebody sees them now, oldest first: of the replies in threads only those that
        were shared with the channel."""
        return [copy.deepcopy(m) for m in self.channel(channel).messages.values() if stands_in_channel(m)]

    def roots(self, channel: str) -> list[Message]:
        """As `messages`, without any reply: of an incident its one message."""
        return [message for message in self.messages(channel) if message.get("subtype") != "thread_broadcast"]

    def replies(self, channel: str, ts: str) -> list[Message]:
        """Copies of what stands in the thread of a message, oldest first, without the message itself."""
        return [copy.deepcopy(m) for m in self.channel(channel).messages.values() if m.get("thread_ts") == ts and m["ts"] != ts]

    def notified(self, user: User) -> list[Notification]:
        """What this person's phone buzzed for, in its order."""
        return [notification for notification in self.notifications if notification.user == user.id]

    def channel(self, channel: str) -> Channel:
        if channel not in self.channels:
            raise SlackError("channel_not_found")
        return self.channels[channel]

    # --- what only Slack can do ---

    def next_ts(self) -> str:
        """Unique and rising, also when the clock stands still."""
        self._last_ts = max(self._last_ts + 1, int(self.clock() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def new_trigger(self, user: str) -> str:
        trigger = f"{next(self._numbers)}.{secrets.token_hex(8)}"
        self.triggers[trigger] = (user, self.clock())
        return trigger

    def use_trigger(self, trigger: str) -> str:
        """The user whose click made it. Valid once and for three seconds."""
        if trigger not in self.triggers:
            raise SlackError("invalid_trigger_id")
        user, made_at = self.triggers[trigger]
        if made_at < 0:
            raise SlackError("exchanged_trigger_id")
        self.triggers[trigger] = (user, -1)
        if self.clock() - made_at > TRIGGER_SECONDS:
            raise SlackError("expired_trigger_id")
        return user

    def new_response_url(self, channel: str, user: str, message_ts: str) -> str:
        """The key at the end of the URL."""
        key = secrets.token_hex(12)
        self.response_urls[key] = ResponseUrl(channel, user, message_ts, self.clock())
        return key

    def use_response_url(self, key: str) -> ResponseUrl:
        """Raises SlackError `expired_url` or `used_url`."""
        target = self.response_urls.get(key)
        if target is None or self.clock() - target.made_at > RESPONSE_URL_SECONDS:
            raise SlackError("expired_url")
        if target.uses >= RESPONSE_URL_USES:
            raise SlackError("used_url")
        target.uses += 1
        return target

    def open_view(self, user: str, view: dict[str, Any]) -> OpenView:
        opened = OpenView(f"V{next(self._numbers):010d}", user, view)
        self.views[opened.id] = opened
        return opened
