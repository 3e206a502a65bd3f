"""Who somebody in Slack is: their own workspace and their user groups, as Slack tells them."""

from slack_sdk.web.async_client import AsyncWebClient

from opsmend.adapters.slack.groups import UserGroups
from opsmend.adapters.slack.workspace import Workspace
from opsmend.domain.approval import Person
from opsmend.domain.record import JsonObject
from opsmend.errors import PolicyRefusedError


class People:
    """Raises ChatUnavailableError and ChatRejectedError where Slack does not say who it is."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._groups = UserGroups(client)
        self._workspace = Workspace(client)

    async def person(self, user: JsonObject) -> Person:
        """`user` is that of a payload of Slack's. Raises PolicyRefusedError for people of other workspaces."""
        await self.must_be_ours(user)
        name = user.get("username") or user.get("name") or ""
        return Person(via="slack", id=user["id"], name=name, groups=await self._groups.of(user["id"]))

    async def must_be_ours(self, user: JsonObject) -> None:
        """Raises PolicyRefusedError for people of other workspaces."""
        if (await self._workspace.home()).is_stranger(user):
            raise PolicyRefusedError("only people of this workspace may, not those of a shared channel.")
