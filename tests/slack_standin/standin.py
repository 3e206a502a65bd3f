"""Everything a test needs of Slack in one object."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.slack_standin.faults import Faults
from tests.slack_standin.interactions import ACK_SECONDS, block_actions, form, signed, slash_command, view_submission
from tests.slack_standin.server import SlackServer, listening
from tests.slack_standin.workspace import Ephemeral, Message, OpenView, User, Workspace


class NotAcknowledgedError(AssertionError):
    """What the person sees as 'operation_timeout' or a warning triangle: the app did not answer 200 within three seconds."""


@dataclass(frozen=True)
class Acknowledged:
    """How the app acknowledged an interaction."""

    seconds: float
    body: dict[str, Any] = field(default_factory=dict)


class SlackStandin:
    """A running workspace. Interactions go to `request_url`, or over the socket when an app is connected and there is none."""

    def __init__(self, workspace: Workspace | None = None, port: int = 0, request_url: str | None = None) -> None:
        self.workspace = workspace or Workspace()
        self.server = SlackServer(self.workspace, port)
        self.request_url = request_url

    @property
    def api_url(self) -> str:
        """For `settings.slack.api_url`."""
        return f"{self.server.listener.url}/api/"

    @property
    def faults(self) -> Faults:
        return self.server.faults

    async def go_down(self) -> None:
        """Connections are refused until `come_back`; the workspace keeps all it has."""
        await self.server.listener.stop()

    async def come_back(self) -> None:
        await self.server.listener.start()

    async def click(self, user: User, channel: str, message: Message, action_id: str) -> Acknowledged:
        """Click a button of `message`, a copy from `workspace.messages`: an old copy is a screen that was not redrawn yet.

        Raises:
            LookupError: the message shows no such button.
            NotAcknowledgedError: the app was too slow or answered anything but 200.
        """
        where = self.workspace.channel(channel)
        key = self.workspace.new_response_url(channel, user.id, message["ts"])
        payload = block_actions(self.workspace, user, where, message, action_id, f"{self.server.listener.url}/response/{key}")
        return await self._deliver(payload, form(payload))

    async def command(self, user: User, channel: str, text: str) -> Acknowledged:
        """Type `/opsmend TEXT`. Whatever the acknowledgement says, only `user` reads. Raises NotAcknowledgedError as `click`.

        Raises:
            LookupError: the app may have no commands.
        """
        if "commands" not in self.workspace.scopes:
            raise LookupError("/opsmend is not a valid command")
        where = self.workspace.channel(channel)
        key = self.workspace.new_response_url(channel, user.id, "")
        fields = slash_command(self.workspace, user, where, text, f"{self.server.listener.url}/response/{key}")
        acknowledged = await self._deliver(fields, urlencode(fields), "slash_commands")
        if said := acknowledged.body.get("text"):
            self.workspace.ephemerals.append(Ephemeral(channel, user.id, said))
        return acknowledged

    async def submit(self, opened: OpenView, values: dict[str, dict[str, str]]) -> Acknowledged:
        """Send the form. It closes unless the app answers with errors. Raises as `click`, and ValueError for missing fields."""
        payload = view_submission(self.workspace, self.workspace.users[opened.user], opened, values)
        acknowledged = await self._deliver(payload, form(payload))
        opened.errors = acknowledged.body.get("errors", {})
        opened.open = acknowledged.body.get("response_action") == "errors"
        return acknowledged

    async def _deliver(self, payload: dict[str, Any], body: str, kind: str = "interactive") -> Acknowledged:
        """`payload` as a socket carries it, `body` as it is posted."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(ACK_SECONDS):
                answer = await (self._over_http(body) if self.request_url else self._over_socket(payload, kind))
        except (TimeoutError, httpx.TransportError) as e:
            raise NotAcknowledgedError(f"no acknowledgement within {ACK_SECONDS} s: {e!r}") from e
        return Acknowledged(loop.time() - began, answer)

    async def _over_http(self, body: str) -> dict[str, Any]:
        headers = signed(self.workspace.signing_secret, self.workspace.clock(), body)
        async with httpx.AsyncClient(trust_env=False, timeout=ACK_SECONDS) as client:
            answer = await client.post(self.request_url or "", content=body, headers=headers)
        if answer.status_code != 200:
            raise NotAcknowledgedError(f"the app answered {answer.status_code}: {answer.text[:200]}")
        return dict(answer.json()) if answer.text else {}

    async def _over_socket(self, payload: dict[str, Any], kind: str) -> dict[str, Any]:
        if not self.server.sockets.connected:
            raise NotAcknowledgedError("no request URL is set and no app is connected over a socket")
        return await self.server.sockets.send(payload, kind)


@asynccontextmanager
async def running_slack(standin: SlackStandin | None = None) -> AsyncIterator[SlackStandin]:
    slack = standin or SlackStandin()
    async with listening(slack.server.listener):
        yield slack
