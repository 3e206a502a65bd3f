"""One request to a pager that speaks HTTP, and what its answer means to us."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final

import httpx

from opsmend.errors import PagerRejectedError, PagerUnavailableError
from opsmend.policy.outgoing import line

_ANSWER_KEPT: Final = 4096
"""Bytes of an answer that are read: enough for the reason of a refusal."""

_PASSING: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


@dataclass(frozen=True)
class Answer:
    status: int
    text: str


class OtherSide:
    """One pager that speaks HTTP. `name` stands in errors instead of the address, which may be a secret."""

    def __init__(self, name: str, client: httpx.AsyncClient, timeout: timedelta) -> None:
        """`timeout` is for all of one request: httpx' own are for each byte."""
        self._name = name
        self._client = client
        self._timeout = timeout

    async def ask(self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Any answer but one that says to try again.

        Raises:
            PagerUnavailableError: no answer, 5xx, or told to slow down.
        """
        try:
            async with (
                asyncio.timeout(self._timeout.total_seconds()),
                self._client.stream(method, url, content=body, headers=headers) as response,
            ):
                text = (await _beginning_of(response)).decode(errors="replace")
        except (httpx.HTTPError, TimeoutError) as e:
            raise PagerUnavailableError(f"{self._name} did not answer: {type(e).__name__}") from e
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status_code in _PASSING:
            raise PagerUnavailableError(f"{self._name} answered {response.status_code}", _retry_after(response))
        return Answer(response.status_code, text)

    def refusal(self, answer: Answer) -> PagerRejectedError:
        return PagerRejectedError(f"{self._name} answered {answer.status}: {line(answer.text, 300) or 'nothing'}")


async def _beginning_of(response: httpx.Response) -> bytes:
    read = b""
    async for chunk in response.aiter_bytes(_ANSWER_KEPT):
        read += chunk
        if len(read) >= _ANSWER_KEPT:
            break
    return read[:_ANSWER_KEPT]


def _retry_after(response: httpx.Response) -> timedelta | None:
    seconds = response.headers.get("Retry-After", "")
    return timedelta(seconds=int(seconds)) if seconds.isdecimal() and len(seconds) < 6 else None
