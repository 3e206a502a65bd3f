"""A route whose sender signs what it posts. Who it is shows only in the body, so anybody's body is read, but within bounds: its
size and time (request_body.py), and how many at once. Nothing of it is parsed before its signature was found to be right.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, Protocol

from fastapi import APIRouter, Request, Response

from opsmend.api.refusals import BusyError, UnauthorizedError
from opsmend.api.request_body import read_body, require_media

MOST_AT_ONCE: Final = 64
"""Bodies of unknown senders that are being read: 64 MiB at most. Beyond that, the one that has taken longest gives way, so that
slow strangers do not keep out a sender whose body is there in milliseconds."""


class SignedSender(Protocol):
    """Somebody who posts to a route of ours and signs it."""

    media: tuple[str, ...]
    """Media types of what it posts."""

    def may_have_signed(self, headers: Mapping[str, str]) -> bool:
        """Whether there is a signature of the right form, made just now. Asked before the body is read."""
        ...

    def has_signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether it is that of `body`, which may be anything."""
        ...

    async def take(self, headers: Mapping[str, str], media: str, body: bytes) -> Response:
        """Raises BadPayloadError: it is genuine and still not what is taken here."""
        ...


def signed_router(path: str, sender: SignedSender) -> APIRouter:
    router = APIRouter()
    readers = _Readers()

    async def receive(request: Request) -> Response:
        if not sender.may_have_signed(request.headers):
            raise UnauthorizedError("The request is not signed, or was signed more than five minutes ago.")
        async with readers.one():
            body = await read_body(request)
        if not sender.has_signed(request.headers, body):
            raise UnauthorizedError("The request is not signed by whom it should be.")
        return await sender.take(request.headers, require_media(request, sender.media), body)

    router.add_api_route(path, receive, methods=["POST"], include_in_schema=False, response_model=None)
    return router


class _Readers:
    """Those that are reading a body now, the earliest first."""

    def __init__(self) -> None:
        self._reading: dict[asyncio.Timeout, None] = {}

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Raises BusyError for the one that has to give way."""
        if len(self._reading) >= MOST_AT_ONCE:
            earliest = next(iter(self._reading))
            del self._reading[earliest]
            earliest.reschedule(asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(None) as patience:
                self._reading[patience] = None
                try:
                    yield
                finally:
                    self._reading.pop(patience, None)
        except TimeoutError as displaced:
            raise BusyError("Too many requests are being read. Send it again.") from displaced
