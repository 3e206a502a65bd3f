"""Routes whose caller is known before a byte of the body is read."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message

from opsmend.api.problem import Failure
from opsmend.api.request_body import json_body

BODY_FAILURES: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": Failure, "description": "The body is no JSON."},
    408: {"model": Failure, "description": "The body did not arrive in time."},
    413: {"model": Failure, "description": "The body is too long."},
    415: {"model": Failure, "description": "Not JSON."},
}
"""What a route with a body may answer before it looks at what the body says."""


class BearerRoute(APIRoute):
    """FastAPI reads a body before it asks the route's dependencies, whatever its length and whoever sends it. Here they come
    first, and the body is read as request_body.py reads it. They must look at nothing but the request's headers.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        checks = [check for dependency in self.dependencies if (check := dependency.dependency)]
        takes_a_body = self.body_field is not None

        async def checked(request: Request) -> Response:
            for check in checks:
                check(request)
            return await handle(await _with_body(request) if takes_a_body else request)

        return checked


async def _with_body(request: Request) -> Request:
    """The request as FastAPI will read it: its body is here already."""
    body = await json_body(request)

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, receive)
