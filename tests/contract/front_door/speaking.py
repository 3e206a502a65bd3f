"""HTTP as somebody speaks it who does not mean well: bytes on a connection, and whatever comes back."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

PATIENCE = 5.0
"""Seconds after which a test gives up on an answer or an end that never comes."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> Any:
        return json.loads(self.body)["error"]


@dataclass
class Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, *parts: bytes) -> None:
        """Raises ConnectionError where the other side listens no more."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def say_while_heard(self, part: bytes, most: int) -> int:
        """Repeat `part` until nobody listens any more or `most` bytes are out; how many were."""
        said = 0
        try:
            while said < most:
                await self.say(part)
                said += len(part)
        except ConnectionError:
            pass
        return said

    async def answer(self) -> Answer:
        """The next answer. Raises asyncio.IncompleteReadError where there is none."""
        async with asyncio.timeout(PATIENCE):
            status, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(status.split()[1]), headers, body)

    async def ends(self) -> bool:
        """Whether the other side ends the connection; what it still says does not matter."""
        try:
            async with asyncio.timeout(PATIENCE):
                while await self.reader.read(65536):
                    pass
        except TimeoutError:
            return False
        except ConnectionError:
            pass
        return True

    async def goes_on(self) -> bool:
        """Whether another request is answered here."""
        await self.say(b"GET /healthz HTTP/1.1\r\nHost: opsmend.test\r\n\r\n")
        return (await self.answer()).status == 200

    def close(self) -> None:
        self.writer.close()


def head(method: str, path: str, **headers: str) -> bytes:
    """Up to and with the blank line. `content_length` is Content-Length."""
    given = {"host": "opsmend.test"} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items()), "", ""]
    return "\r\n".join(lines).encode()


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)
