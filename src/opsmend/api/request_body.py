"""A request's body, read no further than it may be long."""

from typing import Final

from fastapi import Request
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from opsmend.api.refusals import PayloadTooLargeError, UnsupportedMediaError
from opsmend.errors import BadPayloadError

BODY_LIMIT: Final = 1024 * 1024
"""Bytes. An alert has about 1 KB; Temporal itself takes at most 2 MiB in one payload."""

_COMPLAINTS_SHOWN: Final = 5


async def json_body(request: Request, limit: int = BODY_LIMIT) -> bytes:
    """The body of a JSON request. Counted while it arrives, for Content-Length may be absent or wrong.

    Raises:
        UnsupportedMediaError: it is not declared as plain JSON.
        PayloadTooLargeError: it is longer than `limit` bytes.
        BadPayloadError: the sender went away half-way.
    """
    _require_json(request)
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise _too_large(limit)
    except ClientDisconnect as gone:
        raise BadPayloadError("The connection ended before the whole body had arrived.") from gone
    return bytes(body)


def complaint(invalid: ValidationError) -> BadPayloadError:
    """What is wrong with which field, in a sentence; never the value, which may be secret."""
    return BadPayloadError(described([(error["loc"], error["msg"]) for error in invalid.errors(include_input=False)]))


def described(errors: list[tuple[tuple[int | str, ...], str]]) -> str:
    """`alerts.0.startsAt: Field required; …`, the first few of them."""
    shown = [f"{'.'.join(map(str, where)) or 'body'}: {what}" for where, what in errors[:_COMPLAINTS_SHOWN]]
    more = f"; and {len(errors) - len(shown)} more" if len(errors) > len(shown) else ""
    return "; ".join(shown) + more


def _require_json(request: Request) -> None:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        raise UnsupportedMediaError(f"Content-Type must be application/json, not {media[:80] or 'absent'}.")
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise UnsupportedMediaError("Send the body as it is: Content-Encoding is not taken.")


def _too_large(limit: int) -> PayloadTooLargeError:
    return PayloadTooLargeError(f"The body is longer than {limit} bytes. Split it into several requests.")
