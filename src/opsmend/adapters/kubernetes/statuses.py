"""What an HTTP status of the API server means for the caller. Decided by status alone, never by text."""

from datetime import timedelta
from typing import Final

from opsmend.errors import (
    ClusterConflictError,
    ClusterCredentialError,
    ClusterExpiredError,
    ClusterForbiddenError,
    ClusterRejectedError,
    ClusterUnavailableError,
    OpsmendError,
    TargetGoneError,
)

_MEANINGS: Final[dict[int, type[OpsmendError]]] = {
    401: ClusterCredentialError,
    403: ClusterForbiddenError,
    404: TargetGoneError,
    408: ClusterUnavailableError,
    409: ClusterConflictError,
    410: ClusterExpiredError,
    429: ClusterUnavailableError,
    # Not implemented is no passing weakness: asking again cannot help.
    501: ClusterRejectedError,
}

_LONGEST_WAIT: Final = timedelta(minutes=5)
"""A server that asks for more is asked again all the same: a mistaken header must not stall an incident."""


def error_for(status: int, message: str, retry_after: str | None = None) -> OpsmendError:
    """The error to raise for `status` (not a 2xx). `message` is bounded and redacted already.

    `retry_after` is the header's value in seconds; other forms of it are ignored.
    """
    meaning = _MEANINGS.get(status) or (ClusterUnavailableError if status >= 500 else ClusterRejectedError)
    if meaning is ClusterUnavailableError:
        return ClusterUnavailableError(message, _seconds(retry_after))
    if meaning is ClusterCredentialError:
        return ClusterCredentialError(f"{message}: the server does not take our credential; a person must renew it")
    return meaning(message)


def _seconds(retry_after: str | None) -> timedelta | None:
    if retry_after is None or not retry_after.isascii() or not retry_after.isdigit() or len(retry_after) > 9:
        return None
    return min(timedelta(seconds=int(retry_after)), _LONGEST_WAIT)
