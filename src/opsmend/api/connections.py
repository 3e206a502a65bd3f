"""What one connection may cost before it is known who speaks: the bounds that uvicorn itself does not have.

Bodies are bounded where they are read (request_body.py). Here it is the headers, the time that they take, what is still sent
after an answer, and how many connections there are. docs/decisions/0033 says why uvicorn, and what else was tried.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from opsmend.api.problem import Failure, Problem

HEAD_LIMIT: Final = 32 * 1024
"""Bytes of request line and headers, as nginx takes them by default (four buffers of 8 KB)."""

HEADERS_LIMIT: Final = 100
"""Header lines. A sender and the proxies before us have some twenty."""

HEAD_WITHIN: Final = timedelta(seconds=10)
"""From the opening of a connection, or from the first byte of a further request, to the end of its headers."""

MOST_CONNECTIONS: Final = 512
"""Beyond that, the one that has kept us waiting longest gives way. A process may open 1024 files by default."""

PIPELINED: Final = 16
"""Requests that one connection may send ahead of its answers. No sender of ours does."""

LINGER: Final = timedelta(seconds=2)
LINGER_BYTES: Final = 1024 * 1024
"""How long, and how much, a sender that was answered early may go on speaking, so that it reads the answer and not a broken
connection: as much as a body may have that is taken."""


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 over httptools. `_deadline` runs while we wait for a head, and while an early answer lingers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._in_head = False
        self._head_bytes = 0
        self._wants_close = False
        self._over = False
        """Answered for the last time: whatever still comes is thrown away."""
        self._thrown_away = 0

    # ── what the transport tells ──────────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.opened_at = self.loop.time()
        self._end_after(HEAD_WITHIN, self._head_is_late)
        if len(self.connections) > MOST_CONNECTIONS:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        if self._over:
            self._thrown_away += len(data)
            if self._thrown_away > LINGER_BYTES:
                self.transport.close()
            return
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            self._check_head(self._head_bytes)
        # Blank lines between requests stop uvicorn's own clock and begin nothing.
        if self._deadline is None and (self._in_head or self._is_idle()) and not self.transport.is_closing():
            self._end_after(HEAD_WITHIN, self._head_is_late)

    def eof_received(self) -> None:
        if self._over:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_never()
        super().connection_lost(exc)

    # ── what the parser tells ─────────────────────────────────────────────────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_size = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._head_size += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._over or not self._in_head:
            return  # what follows a chunked body is no header: the request was let in or not by then
        self._head_size += len(name) + len(value)
        if len(self.headers) < HEADERS_LIMIT:
            super().on_header(name, value)
        else:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"There are more than {HEADERS_LIMIT} headers.")

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        self._check_head(self._head_size)
        if len(self.pipeline) >= PIPELINED:
            self._refuse(HTTPStatus.TOO_MANY_REQUESTS, f"More than {PIPELINED} requests were sent ahead of their answers.")
        if self._over:
            return
        self._end_never()
        super().on_headers_complete()
        # uvicorn would close on the answer, whether or not the body is all here. See _linger.
        self._wants_close = not self.cycle.keep_alive
        self.cycle.keep_alive = True

    def on_body(self, body: bytes) -> None:
        if not self._over:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._over:
            return
        if self._wants_close:
            self.cycle.keep_alive = False
        super().on_message_complete()

    # ── how a connection ends ─────────────────────────────────────────────────────────────────────────────────────────────

    def on_response_complete(self) -> None:
        if self.cycle.response_complete and self.cycle.more_body and not self.transport.is_closing():
            self.server_state.total_requests += 1
            self._linger()
        else:
            super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Of uvicorn, for what is no HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        if self._over:
            return
        if not self._is_idle():
            self.transport.abort()  # an answer that is under way cannot be followed by one to something else
            return
        kind = status.phrase.lower().replace(" ", "_")
        content = Failure(error=Problem(type=kind, message=why)).model_dump_json().encode()
        head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(content)
        self.transport.write(STATUS_LINE[status] + head + content)
        self._linger()

    def _linger(self) -> None:
        """Read on for a moment without keeping anything: a connection that is closed on bytes not yet read is reset, and a
        reset may overtake the answer."""
        self._over = True
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._end_after(LINGER, self.transport.close)

    def _check_head(self, size: int) -> None:
        if size > HEAD_LIMIT:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"The headers are longer than {HEAD_LIMIT} bytes.")

    def _head_is_late(self) -> None:
        if self._in_head:
            seconds = HEAD_WITHIN.total_seconds()
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"The headers were not complete after {seconds:.0f} s.")
        else:
            self.transport.close()

    def _make_room(self) -> None:
        idle = [one for one in self.connections if isinstance(one, BoundedHttp) and one is not self and one._is_idle()]
        if idle:
            # Those that never asked for anything go first, then those that rest between two requests.
            min(idle, key=lambda one: (one.cycle is not None, one.opened_at)).transport.abort()
        else:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "Too many requests are at work. Send it again in a moment.")

    def _is_idle(self) -> bool:
        """Whether no request of this connection is at work."""
        return self.cycle is None or (self.cycle.response_complete and not self.pipeline)

    def _end_after(self, patience: timedelta, end: Callable[[], None]) -> None:
        self._end_never()
        self._deadline = self.loop.call_later(patience.total_seconds(), end)

    def _end_never(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
