"""Slack's side of the wire: Web API, response URLs, Socket Mode. Listens on loopback, on a port that the system chooses."""

import asyncio
import contextlib
import json
import secrets
import socket
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.slack_standin.faults import Fault, Faults, Mode, SlackError
from tests.slack_standin.methods import call_method
from tests.slack_standin.workspace import Ephemeral, Workspace

_OPEN_CONNECTION: Final = "apps.connections.open"


class Listener:
    """An ASGI app on a loopback port. Stopped and started again it has the same port, so that a client finds it again."""

    def __init__(self, app: ASGIApp, port: int = 0) -> None:
        self._app = app
        self._server: uvicorn.Server | None = None
        self._socket: socket.socket | None = None
        self.port = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        listening.listen(128)
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(
            self._app, log_config=None, log_level="error", lifespan="off", ws="websockets-sansio", timeout_graceful_shutdown=1
        )
        config.load()
        self._socket = listening
        self._server = uvicorn.Server(config)
        self._server.lifespan = config.lifespan_class(config)
        # Not `serve`: it takes the test's signal handlers, and looks only now and then whether it is to end.
        await self._server.startup(sockets=[listening])

    async def stop(self) -> None:
        """From now on connections are refused."""
        if self._server is None or self._socket is None:
            return
        await self._server.shutdown(sockets=[self._socket])
        self._server = self._socket = None

    def drop_connections(self) -> None:
        """Break every open connection, in the middle of whatever it carries."""
        for connection in list(self._server.server_state.connections) if self._server else []:
            if connection.transport:
                connection.transport.abort()


async def delivered(answer: Response, fault: Fault | None, listener: Listener) -> Response:
    """`answer`, as far as a fault lets it through."""
    if fault and fault.mode is Mode.SLOW:
        await asyncio.sleep(fault.seconds)
    if fault and fault.mode is Mode.CONNECTION_LOST:
        listener.drop_connections()
    if fault and fault.mode is Mode.ANSWER_LOST:
        return PlainTextResponse("internal error", 500)
    return answer


class SocketModeSessions:
    """Apps connected over a WebSocket."""

    def __init__(self) -> None:
        self._tickets: set[str] = set()
        self._connected: list[WebSocket] = []
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}

    @property
    def connected(self) -> bool:
        return bool(self._connected)

    def new_ticket(self) -> str:
        ticket = secrets.token_hex(12)
        self._tickets.add(ticket)
        return ticket

    async def serve(self, websocket: WebSocket) -> None:
        ticket = websocket.query_params.get("ticket", "")
        if ticket not in self._tickets:
            await websocket.close(4401)
            return
        self._tickets.discard(ticket)
        await websocket.accept()
        await websocket.send_json({"type": "hello", "num_connections": len(self._connected) + 1, "connection_info": {}})
        self._connected.append(websocket)
        try:
            while True:
                answer = json.loads(await websocket.receive_text())
                waiting = self._answers.pop(answer.get("envelope_id", ""), None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer.get("payload") or {})
        except WebSocketDisconnect:
            pass
        finally:
            self._connected.remove(websocket)

    async def send(self, payload: dict[str, Any], kind: str) -> dict[str, Any]:
        """Give an interaction to one connected app; its acknowledgement. `kind` is interactive or slash_commands."""
        envelope_id = secrets.token_hex(8)
        waiting: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[envelope_id] = waiting
        envelope = {"envelope_id": envelope_id, "type": kind, "accepts_response_payload": True, "payload": payload}
        await self._connected[-1].send_json(envelope)
        return await waiting


class SlackServer:
    """The HTTP and WebSocket faces of a workspace, with faults."""

    def __init__(self, workspace: Workspace, port: int = 0) -> None:
        self.workspace = workspace
        self.faults = Faults()
        self.sockets = SocketModeSessions()
        self.calls: list[str] = []
        """Every method called, those that a fault hit included."""
        routes = [
            Route("/api/{method}", self._api, methods=["GET", "POST"]),
            Route("/response/{key}", self._response_url, methods=["POST"]),
            WebSocketRoute("/link", self.sockets.serve),
        ]
        self.listener = Listener(Starlette(routes=routes), port)

    async def _api(self, request: Request) -> Response:
        method = request.path_params["method"]
        self.calls.append(method)
        fault = self.faults.take(method)
        if fault and fault.mode is Mode.UNAVAILABLE:
            return PlainTextResponse("upstream connect error", 503)
        if fault and fault.mode is Mode.RATE_LIMITED:
            return JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(int(fault.seconds))})
        if fault and fault.mode is Mode.REFUSED:
            return JSONResponse({"ok": False, "error": fault.code})
        return await delivered(JSONResponse(await self._answer(request, method)), fault, self.listener)

    async def _answer(self, request: Request, method: str) -> dict[str, Any]:
        try:
            arguments = await _arguments(request)
            token = request.headers.get("authorization", "").removeprefix("Bearer ") or arguments.pop("token", "")
            if method == _OPEN_CONNECTION:
                return {"ok": True, "url": self._socket_url(token)}
            return {"ok": True} | call_method(self.workspace, method, token, arguments)
        except SlackError as e:
            return {"ok": False, "error": e.code} | e.extra

    def _socket_url(self, token: str) -> str:
        if token != self.workspace.app_token:
            raise SlackError("not_allowed_token_type" if token == self.workspace.bot_token else "invalid_auth")
        return f"ws://127.0.0.1:{self.listener.port}/link?ticket={self.sockets.new_ticket()}"

    async def _response_url(self, request: Request) -> Response:
        """Faults hit it as the method `response_url`; only as UNAVAILABLE."""
        fault = self.faults.take("response_url")
        if fault and fault.mode is Mode.UNAVAILABLE:
            return PlainTextResponse("upstream connect error", 503)
        try:
            target = self.workspace.use_response_url(request.path_params["key"])
        except SlackError as e:
            return JSONResponse({"ok": False, "error": e.code}, 404)
        said = json.loads(await request.body())
        if said.get("response_type", "ephemeral") != "ephemeral":
            return JSONResponse({"ok": False, "error": "the stand-in knows ephemeral answers only"}, 400)
        self.workspace.ephemerals.append(Ephemeral(target.channel, target.user, said.get("text", "")))
        return PlainTextResponse("ok")


async def _arguments(request: Request) -> dict[str, Any]:
    """From the query, a form or JSON, whichever the client chose."""
    body = (await request.body()).decode()
    if "json" in request.headers.get("content-type", ""):
        try:
            sent = json.loads(body)
        except json.JSONDecodeError as e:
            raise SlackError("invalid_json") from e
        return {key: value for key, value in sent.items() if value is not None}
    return dict(request.query_params) | dict(parse_qsl(body, keep_blank_values=True))


@contextlib.asynccontextmanager
async def listening(listener: Listener) -> AsyncIterator[Listener]:
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop()
