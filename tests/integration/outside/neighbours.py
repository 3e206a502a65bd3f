"""What may stand at an address instead of what was expected there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from opsmend.embedded.processes import free_port


@asynccontextmanager
async def somebody_silent() -> AsyncIterator[int]:
    """A port on loopback that takes every connection and never says a word."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def somebody_who_answers(status: str, body: str = "{}") -> AsyncIterator[int]:
    """A port on loopback that answers every request of HTTP in the same way."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline() not in (b"\r\n", b""):
            pass
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        writer.write((head + body).encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def nobody() -> int:
    """A port on loopback that refuses connections."""
    return free_port()
