"""A request's body, read no further than it may be long and no longer than it may take."""

import asyncio
from datetime import timedelta
from typing import Final

from fastapi import Request
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from opsmend.api.refusals import BodyTooSlowError, PayloadTooLargeError, UnsupportedMediaError
from opsmend.errors import BadPayloadError

BODY_LIMIT: Final = 1024 * 1024
"""Bytes. An alert has about 1 KB; Temporal itself takes at most 2 MiB in one payload."""

READ_WITHIN: Final = timedelta(seconds=10)
"""From the end of the headers to the end of the body: 100 KB a second for the longest one."""

_COMPLAINTS_SHOWN: Final = 5


async def json_body(request: Request) -> bytes:
    """The body of a JSON request.

    Raises:
        UnsupportedMediaError: it is not declared as plain JSON.
        PayloadTooLargeError, BodyTooSlowError, BadPayloadError: as read_body.
    """
    require_media(request, ("application/json",))
    return await read_body(request)


async def read_body(request: Request) -> bytes:
    """Counted while it arrives, for Content-Length may be absent or wrong.

    Raises:
        PayloadTooLargeError: it is longer than BODY_LIMIT.
        BodyTooSlowError: it is not all there after READ_WITHIN.
        BadPayloadError: the sender went away half-way.
    """
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > BODY_LIMIT:
        raise _too_large()
    try:
        async with asyncio.timeout(READ_WITHIN.total_seconds()):
            return await _counted(request)
    except TimeoutError as slow:
        raise BodyTooSlowError(f"The body was not complete after {READ_WITHIN.total_seconds():.0f} s.") from slow
    except ClientDisconnect as gone:
        raise BadPayloadError("The connection ended before the whole body had arrived.") from gone


async def _counted(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise _too_large()
    return bytes(body)


def require_media(request: Request, taken: tuple[str, ...]) -> str:
    """The media type of the body, one of `taken`; what is derived from JSON (`application/vnd.api+json`) is JSON.

    Raises:
        UnsupportedMediaError: it is another one, none, or compressed.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media.startswith("application/") and media.endswith("+json"):
        media = "application/json"
    if media not in taken:
        raise UnsupportedMediaError(f"Content-Type must be {' or '.join(taken)}, not {media[:80] or 'absent'}.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaError("Send the body as it is: Content-Encoding is not taken.")
    return media


def complaint(invalid: ValidationError) -> BadPayloadError:
    """What is wrong with which field, in a sentence; never the value, which may be secret."""
    return BadPayloadError(described([(error["loc"], error["msg"]) for error in invalid.errors(include_input=False)]))


def described(errors: list[tuple[tuple[int | str, ...], str]]) -> str:
    """`alerts.0.startsAt: Field required; …`, the first few of them."""
    shown = [f"{'.'.join(map(str, where)) or 'body'}: {what}" for where, what in errors[:_COMPLAINTS_SHOWN]]
    more = f"; and {len(errors) - len(shown)} more" if len(errors) > len(shown) else ""
    return "; ".join(shown) + more


def _too_large() -> PayloadTooLargeError:
    return PayloadTooLargeError(f"The body is longer than {BODY_LIMIT} bytes. Split it into several requests.")
