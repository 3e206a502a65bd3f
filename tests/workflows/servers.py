"""The Temporal servers of tests: one for a file of tests, in which each test has a namespace of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from opsmend.adapters.temporal.payloads import DATA_CONVERTER
from opsmend.embedded.temporal_server import PROMPT, REPORTS_SOON, temporal_binary
from opsmend.workflows.search_attributes import ALL


class SharedTemporal:
    """One server and its unused namespaces."""

    def __init__(self, address: str, namespaces: Iterator[str]) -> None:
        self._address = address
        self._namespaces = namespaces

    async def client(self) -> Client:
        """A client of a namespace that nobody else uses: the same workflow ids in another one are other workflows."""
        return await Client.connect(self._address, namespace=next(self._namespaces), data_converter=DATA_CONVERTER)


async def started(start: Callable[..., Awaitable[WorkflowEnvironment]], *configured: str) -> WorkflowEnvironment:
    """A server of the Temporal that opsmend brings along, by one of the ways in which an environment starts."""
    return await start(
        data_converter=DATA_CONVERTER,
        dev_server_existing_path=str(temporal_binary()),
        ip="127.0.0.1",
        search_attributes=list(ALL),
        dev_server_extra_args=list(configured),
    )


@asynccontextmanager
async def a_temporal(*, namespaces: int = 1) -> AsyncIterator[SharedTemporal]:
    """A server that knows our search attributes and keeps all in memory; `namespaces` is how many clients it can give."""
    names = tuple(f"test-{number}" for number in range(namespaces))
    named = (word for name in names for word in ("--namespace", name))
    async with await started(WorkflowEnvironment.start_local, *PROMPT, *REPORTS_SOON, *named) as server:
        yield SharedTemporal(server.client.service_client.config.target_host, iter(names))
