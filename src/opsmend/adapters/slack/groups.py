"""Which user groups a person is in: what approver policies name."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from slack_sdk.web.async_client import AsyncWebClient

from opsmend.adapters.slack.client import slack_call

FRESH_FOR: Final = timedelta(minutes=1)
"""How long a membership is believed: usergroups.list allows some 20 calls a minute, and who left a group loses its say soon."""


class UserGroups:
    """Handles of a person's active user groups, e.g. `sre-oncall`. Fails closed: nothing stale is served when Slack is down."""

    def __init__(self, client: AsyncWebClient, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic = monotonic
        self._members: dict[str, frozenset[str]] = {}
        self._read_at: float | None = None
        self._reading = asyncio.Lock()
        """Who clicks at the same moment as somebody else waits for the same answer."""

    async def of(self, user_id: str) -> tuple[str, ...]:
        """Sorted. Raises ChatUnavailableError, ChatRejectedError."""
        async with self._reading:
            if self._read_at is None or self._monotonic() - self._read_at >= FRESH_FOR.total_seconds():
                read_at = self._monotonic()
                self._members = await self._read()
                self._read_at = read_at
        return tuple(sorted(handle for handle, members in self._members.items() if user_id in members))

    async def _read(self) -> dict[str, frozenset[str]]:
        with slack_call("usergroups.list"):
            answer = await self._client.usergroups_list(include_users=True, include_disabled=False)
        return {str(group["handle"]): frozenset(group.get("users", ())) for group in answer["usergroups"]}
