"""An HTTP server with faults, for what is spoken to by single POSTs."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.slack_standin.faults import Faults, Mode
from tests.slack_standin.server import Listener, delivered

Handler = Callable[[Request], Awaitable[Response]]


class FaultyServer:
    """Serves `handler` at `path`. A fault hits any request; REFUSED answers 403."""

    def __init__(self, path: str, handler: Handler) -> None:
        self._handler = handler
        self._path = path
        self.faults = Faults()
        self.listener = Listener(Starlette(routes=[Route(path, self._answer, methods=["POST"])]))

    @property
    def url(self) -> str:
        return f"{self.listener.url}{self._path}"

    async def _answer(self, request: Request) -> Response:
        fault = self.faults.take(request.method)
        if fault and fault.mode is Mode.UNAVAILABLE:
            return PlainTextResponse("upstream connect error", 503)
        if fault and fault.mode is Mode.RATE_LIMITED:
            return PlainTextResponse("slow down", 429, {"Retry-After": str(int(fault.seconds))})
        if fault and fault.mode is Mode.REFUSED:
            return PlainTextResponse(fault.code, 403)
        return await delivered(await self._handler(request), fault, self.listener)
