"""Where the next page of a list begins, as a text that the caller hands back.

It carries a mark of ours: what Temporal did not give out itself makes it stumble for seconds.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import Final

from pydantic import SecretStr

from opsmend.errors import BadPayloadError

_MARK: Final = 16
"""Bytes of the HMAC that are kept: nobody guesses 128 bits."""

CURSOR_LIMIT: Final = 2048
"""Characters. Temporal's own tokens have some 200 bytes."""


class Cursors:
    """Marked with the API token, so that every process that serves the same API takes them, also after a restart."""

    def __init__(self, api_token: SecretStr | None) -> None:
        self._key = api_token.get_secret_value().encode() if api_token else b""

    def write(self, beginning: bytes) -> str:
        return urlsafe_b64encode(self._mark(beginning) + beginning).decode()

    def read(self, cursor: str) -> bytes:
        """Raises BadPayloadError: it is not one that this API gave out."""
        try:
            content = urlsafe_b64decode(cursor.encode())
        except (NotBase64, ValueError) as foreign:
            raise _foreign() from foreign
        mark, beginning = content[:_MARK], content[_MARK:]
        if not hmac.compare_digest(mark, self._mark(beginning)):
            raise _foreign()
        return beginning

    def _mark(self, beginning: bytes) -> bytes:
        return hmac.digest(self._key, b"incidents:" + beginning, hashlib.sha256)[:_MARK]


def _foreign() -> BadPayloadError:
    return BadPayloadError("cursor: It is not one that this list gave out as `next_cursor`. Leave it out to begin anew.")
