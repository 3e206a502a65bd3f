"""A Temporal that hangs keeps no sender waiting for longer than one deadline, however many calls one alert takes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
from temporalio.client import Client
from tests.builders import a_target, an_alert
from tests.contract.desk.conftest import a_desk

from opsmend.adapters.temporal.connection import connect
from opsmend.errors import TemporalUnavailableError


class Line:
    """A connection to Temporal that can be made to swallow everything."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self.dead = asyncio.Event()
        self._forwarding: set[asyncio.Task[None]] = set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection(*self._server)
        for source, sink in ((reader, forth), (back, writer)):
            self._forwarding.add(asyncio.create_task(self._forward(source, sink)))

    async def _forward(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while content := await source.read(65536):
                if not self.dead.is_set():
                    sink.write(content)
        sink.close()

    def cut(self) -> None:
        for task in self._forwarding:
            task.cancel()


@asynccontextmanager
async def a_line_to(client: Client) -> AsyncIterator[tuple[Line, str]]:
    host, _, port = client.service_client.config.target_host.rpartition(":")
    line = Line(host, int(port))
    listening = await asyncio.start_server(line.carry, "127.0.0.1", 0)
    async with listening:
        yield line, f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        line.cut()


async def test_all_calls_of_an_alert_share_one_deadline(client: Client) -> None:
    patience = timedelta(seconds=1)
    async with a_line_to(client) as (line, address):
        desk = a_desk(await connect(address, client.namespace), patience)
        target = a_target(node="node-1")
        for opened in (target, target.below):
            assert opened
            await desk.submit(opened, (an_alert(target=opened),), alone=True)
        line.dead.set()
        with pytest.raises(TemporalUnavailableError):
            # Its own incident is asked first, then its node's, then a new one would be opened: three calls.
            async with asyncio.timeout(2.5 * patience.total_seconds()):
                await desk.submit(target, (an_alert(target=target),))


async def test_it_is_said_which_alerts_were_not_taken(client: Client) -> None:
    async with a_line_to(client) as (line, address):
        desk = a_desk(await connect(address, client.namespace), timedelta(milliseconds=200))
        await desk.submit(a_target(), (an_alert(),))
        line.dead.set()
        with pytest.raises(TemporalUnavailableError, match="shop/web"):
            await desk.submit(a_target(), (an_alert(),))
