"""The Temporal servers of tests: one for a file of tests, in which each test has a namespace of its own."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.client import Client

from opsmend.adapters.temporal.payloads import DATA_CONVERTER
from opsmend.embedded.processes import free_port
from opsmend.embedded.temporal_server import start_temporal


class SharedTemporal:
    """One server, started as `opsmend up` starts it, and its unused namespaces."""

    def __init__(self, address: str, namespaces: Iterator[str]) -> None:
        self._address = address
        self._namespaces = namespaces

    async def client(self) -> Client:
        """A client of a namespace that nobody else uses: the same workflow ids in another one are other workflows."""
        return await Client.connect(self._address, namespace=next(self._namespaces), data_converter=DATA_CONVERTER)


@asynccontextmanager
async def a_temporal(folder: Path, *, namespaces: int = 1) -> AsyncIterator[SharedTemporal]:
    """A server that knows our search attributes; `namespaces` is how many clients it can give."""
    names = tuple(f"test-{number}" for number in range(namespaces))
    server = await start_temporal(folder, port=free_port(), ui_port=free_port(), namespaces=names)
    try:
        yield SharedTemporal(server.address, iter(names))
    finally:
        server.part.kill()
        await server.part.process.wait()
