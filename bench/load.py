"""A closed loop: so many callers, each with one call in flight, until all work is done.

HTTP is spoken over plain asyncio streams with requests made beforehand. The load shares two cores with what it measures, and
a full HTTP client costs about as much as the API that it would call.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from time import perf_counter
from typing import Final, TypeVar

IN_FLIGHT: Final = 32

Item = TypeVar("Item")
Call = Callable[[Item], Awaitable[None]]


class LoadError(RuntimeError):
    """The measured side did not take what it was sent: there is nothing to measure."""


@dataclass(frozen=True)
class Load:
    """What came of one round: the whole time, and that of each call, in seconds."""

    seconds: float
    calls: list[float]

    @property
    def rate(self) -> float:
        """Calls a second."""
        return len(self.calls) / self.seconds


async def put_through(items: Sequence[Item], callers: Iterable[Call[Item]]) -> Load:
    """Each caller takes the next item as soon as its last call was answered."""
    waiting = iter(items)
    calls: list[float] = []

    async def keep_calling(call: Call[Item]) -> None:
        for item in waiting:
            began = perf_counter()
            await call(item)
            calls.append(perf_counter() - began)

    began = perf_counter()
    await asyncio.gather(*(keep_calling(call) for call in callers))
    return Load(perf_counter() - began, calls)


def post(path: str, body: bytes, token: str) -> bytes:
    """A whole HTTP/1.1 request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection:
    """One kept-alive connection to the API; a call sends a request and wants a 202."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def __call__(self, request: bytes) -> None:
        """Raises LoadError."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        body = await self._reader.readexactly(_content_length(head))
        if not head.startswith(b"HTTP/1.1 202 "):
            raise LoadError(f"{head.splitlines()[0]!r}: {body[:300]!r}")

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def connections(port: int, stack: AsyncExitStack, count: int = IN_FLIGHT) -> list[Connection]:
    """`count` connections to the API on loopback, closed with `stack`."""
    opened = []
    for _ in range(count):
        connection = Connection(*await asyncio.open_connection("127.0.0.1", port))
        stack.push_async_callback(connection.close)
        opened.append(connection)
    return opened


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise LoadError(f"no Content-Length in {head!r}")
