"""Where people are told and asked."""

from typing import Protocol

from pydantic import AwareDatetime

from opsmend.domain.alert import Severity
from opsmend.domain.call import Call
from opsmend.domain.incident import IncidentState
from opsmend.domain.record import Record
from opsmend.domain.untold import Untold


class MessageRef(Record):
    """Where the one message of an incident stands."""

    channel: str
    ts: str


class Notice(Record):
    """Everything that the one message of an incident shows, and the call that is due."""

    state: IncidentState
    message: MessageRef | None = None
    """The message to update; None posts a new one, or finds the one that an earlier try posted."""
    call: Call | None = None
    """A new message that notifies. Posting or updating the incident's message notifies nobody."""
    temporal_ui: str = ""


class Announcer(Protocol):
    """Raises ChatUnavailableError, ChatRejectedError."""

    async def announce(self, text: str, key: str) -> None:
        """Post a message of its own, which notifies. The same `key` is posted once in a while, whoever of us asks for it."""
        ...


class Alarm(Record):
    """Something that a person has to know of, and that is no incident's own message. What has the same `key` is said once."""

    key: str
    text: str
    since: AwareDatetime
    workflow_id: str
    run_id: str
    temporal_ui: str = ""


class StormDigest(Record):
    """One message for many incidents that have no message of their own yet."""

    key: str
    since: AwareDatetime
    """When the first of them had to wait."""
    waiting: int
    """How many there are. Zero: each has a message of its own by now."""
    severities: dict[Severity, int]
    """How many of each, the gravest first."""
    namespaces: dict[str, int]
    """Where most of them are; `more_namespaces` have others."""
    more_namespaces: int
    gravest: tuple[Untold, ...]
    """The first few of them."""


class Chat(Protocol):
    """Raises ChatUnavailableError, ChatRejectedError."""

    async def publish(self, notice: Notice) -> MessageRef | None:
        """Post or update the incident's one message, and call if a call is due and was not made before.

        If one place refuses, the others are told all the same, and the error is raised afterwards. None where the channel has
        no messages (terminal).
        """
        ...

    async def tell_digest(self, digest: StormDigest, message: MessageRef | None) -> MessageRef | None:
        """Post or update the digest's one message; None where the channel has no messages. It notifies nobody."""
        ...

    async def raise_alarm(self, alarm: Alarm) -> None:
        """Post a message that notifies, where questions are escalated to."""
        ...
