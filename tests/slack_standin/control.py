"""The stand-in's second port: what a test does with the object, a drill does over HTTP while the workspace is another process.

    GET  /messages?channel=C…            GET /replies?channel=C…&ts=…     GET /ephemerals      GET /views      GET /calls
    GET  /notifications
    POST /click   {user, channel, ts, action_id}                          POST /submit {view, values}
    POST /faults  [{mode, methods, times, seconds, code}]                 POST /down           POST /up
    POST /request_url {url}

A click or submission that the app did not acknowledge answers 504; one that no person could make, 409.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.slack_standin.faults import Fault, Mode, SlackError
from tests.slack_standin.standin import NotAcknowledgedError, SlackStandin

Handler = Callable[[Request], Awaitable[Response]]


def control(slack: SlackStandin) -> Starlette:
    """The control app of `slack`."""
    remote = _Control(slack)
    return Starlette(
        routes=[
            Route("/messages", remote.messages),
            Route("/replies", remote.replies),
            Route("/ephemerals", remote.ephemerals),
            Route("/notifications", remote.notifications),
            Route("/views", remote.views),
            Route("/calls", remote.calls),
            Route("/click", remote.click, methods=["POST"]),
            Route("/submit", remote.submit, methods=["POST"]),
            Route("/faults", remote.faults, methods=["POST"]),
            Route("/down", remote.down, methods=["POST"]),
            Route("/up", remote.up, methods=["POST"]),
            Route("/request_url", remote.request_url, methods=["POST"]),
        ],
        exception_handlers={
            NotAcknowledgedError: _answer(504),
            LookupError: _answer(409),
            ValueError: _answer(409),
            SlackError: _answer(409),
        },
    )


def _answer(status: int) -> Callable[[Request, Exception], Response]:
    def handler(_: Request, error: Exception) -> Response:
        return JSONResponse({"error": type(error).__name__, "detail": str(error)}, status)

    return handler


class _Control:
    def __init__(self, slack: SlackStandin) -> None:
        self._slack = slack

    async def messages(self, request: Request) -> Response:
        return JSONResponse(self._slack.workspace.messages(request.query_params["channel"]))

    async def replies(self, request: Request) -> Response:
        return JSONResponse(self._slack.workspace.replies(request.query_params["channel"], request.query_params["ts"]))

    async def ephemerals(self, _: Request) -> Response:
        return JSONResponse([asdict(ephemeral) for ephemeral in self._slack.workspace.ephemerals])

    async def notifications(self, _: Request) -> Response:
        return JSONResponse([asdict(notification) for notification in self._slack.workspace.notifications])

    async def views(self, _: Request) -> Response:
        return JSONResponse([asdict(view) for view in self._slack.workspace.views.values()])

    async def calls(self, _: Request) -> Response:
        return JSONResponse(self._slack.server.calls)

    async def click(self, request: Request) -> Response:
        wanted = await request.json()
        seen = [m for m in self._slack.workspace.messages(wanted["channel"]) if m["ts"] == wanted["ts"]]
        if not seen:
            raise LookupError(f"no message {wanted['ts']}")
        user = self._slack.workspace.users[wanted["user"]]
        return _acknowledged(await self._slack.click(user, wanted["channel"], seen[0], wanted["action_id"]))

    async def submit(self, request: Request) -> Response:
        wanted = await request.json()
        return _acknowledged(await self._slack.submit(self._slack.workspace.views[wanted["view"]], wanted["values"]))

    async def faults(self, request: Request) -> Response:
        """Replaces the faults that are switched on."""
        self._slack.faults.active = [
            Fault(**(fault | {"mode": Mode(fault["mode"]), "methods": frozenset(fault.get("methods", ()))}))
            for fault in await request.json()
        ]
        return JSONResponse({})

    async def down(self, _: Request) -> Response:
        await self._slack.go_down()
        return JSONResponse({})

    async def up(self, _: Request) -> Response:
        await self._slack.come_back()
        return JSONResponse({})

    async def request_url(self, request: Request) -> Response:
        self._slack.request_url = (await request.json())["url"]
        return JSONResponse({})


def _acknowledged(acknowledged: Any) -> Response:
    return JSONResponse(asdict(acknowledged))
