"""Telling people of many incidents in one message."""

from temporalio import activity

from opsmend.domain.ports.chat import Chat, MessageRef, StormDigest
from opsmend.domain.record import Handed, Record


class DigestRequest(Handed):
    digest: StormDigest
    message: MessageRef | None
    """Where it stands, once it does."""


class DigestTold(Record):
    message: MessageRef | None


class StormActivities:
    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    @activity.defn(name="chat.tell_digest")
    async def tell_digest(self, request: DigestRequest) -> DigestTold:
        """Twice is harmless: the chat finds the message of an earlier try by the digest's key."""
        return DigestTold(message=await self._chat.tell_digest(request.digest, request.message))
