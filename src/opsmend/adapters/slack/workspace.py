"""Whose workspace the app lives in."""

import asyncio
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from opsmend.adapters.slack.client import slack_call
from opsmend.domain.record import JsonObject


@dataclass(frozen=True)
class Home:
    team_id: str
    enterprise_id: str
    """Empty outside of an organisation (Enterprise Grid)."""

    def is_stranger(self, user: JsonObject) -> bool:
        """Whether Slack Connect brought them in. Within an organisation workspaces share their people, so there the user groups
        alone decide."""
        return not self.enterprise_id and user.get("team_id") not in (None, self.team_id)


class Workspace:
    """Asked once, and not before somebody clicks: Slack being away keeps neither the API from starting nor a click from being
    acknowledged."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._home: Home | None = None
        self._asking = asyncio.Lock()

    async def home(self) -> Home:
        """Raises ChatUnavailableError, ChatRejectedError."""
        async with self._asking:
            if self._home is None:
                with slack_call("auth.test"):
                    told = await self._client.auth_test()
                self._home = Home(team_id=str(told["team_id"]), enterprise_id=str(told.get("enterprise_id") or ""))
            return self._home
