"""The API on a real socket, as `opsmend api` serves it, with little patience."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import uvicorn
from pydantic import SecretStr
from tests.change_control_in_memory import ChangeControlInMemory
from tests.contract.front_door.speaking import Connection
from tests.desk_in_memory import DeskInMemory
from tests.steering_in_memory import SteeringInMemory
from tests.unit.api.api_client import an_app

from opsmend.adapters.slack.inbound import EVENTS_PATH, SlackRequests, build_slack_app
from opsmend.api import connections, request_body
from opsmend.api.signed_route import signed_router
from opsmend.server import http_config
from opsmend.settings import SlackSettings

SIGNING_SECRET = "signing-secret-for-tests"
PATIENCE = timedelta(milliseconds=300)


@dataclass
class Door:
    port: int
    desk: DeskInMemory
    server: uvicorn.Server
    connected: list[Connection] = field(default_factory=list)

    async def connect(self) -> Connection:
        connection = Connection(*await asyncio.open_connection("127.0.0.1", self.port))
        self.connected.append(connection)
        return connection

    @property
    def open_connections(self) -> int:
        return len(self.server.server_state.connections)


@pytest.fixture
async def door(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    monkeypatch.setattr(connections, "HEAD_WITHIN", PATIENCE)
    monkeypatch.setattr(connections, "LINGER", PATIENCE)
    monkeypatch.setattr(request_body, "READ_WITHIN", PATIENCE)
    desk = DeskInMemory()
    # Nothing listens there: whoever asks Slack anything before it answers would be noticed.
    slack = SlackSettings(
        bot_token=SecretStr("xoxb-1"), signing_secret=SecretStr(SIGNING_SECRET), channel="C1", api_url="http://127.0.0.1:9/api/"
    )
    slack_app = build_slack_app(slack, desk, SteeringInMemory(), ChangeControlInMemory())
    app = an_app(desk, signed_router(EVENTS_PATH, SlackRequests(slack, slack_app)))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        port = listening.getsockname()[1]
        server = uvicorn.Server(http_config(app, "127.0.0.1", port))
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        door = Door(port, desk, server)
        yield door
        for connection in door.connected:
            connection.close()
        server.should_exit = True
        await serving
