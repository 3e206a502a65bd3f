"""Every route that takes a token asks for it before it reads a byte of the body, those that are yet to be written as well."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from fastapi import FastAPI
from tests.desk_in_memory import DeskInMemory
from tests.unit.api.api_client import API_TOKEN, OPERATOR_TOKEN, an_app

OPEN: Final = {"/healthz", "/readyz", "/metrics", "/openapi.json"}
"""Routes without a token. They take no body either."""

APP: Final = an_app(DeskInMemory())


def _routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    for path, operations in app.openapi()["paths"].items():
        for method in operations:
            yield method.upper(), path


WITH_TOKEN: Final = sorted(route for route in _routes(APP) if route[1] not in OPEN)


async def ask(method: str, path: str, token: str | None, media: bytes = b"application/json") -> tuple[int, int]:
    """The status, and how often the body was asked for."""
    reads = 0
    answered: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        nonlocal reads
        reads += 1
        return {"type": "http.request", "body": b"{", "more_body": False}

    async def send(message: Any) -> None:
        answered.append(message)

    headers = [(b"content-type", media), (b"content-length", b"314572800")]
    if token:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path.replace("{source}", "generic").replace("{incident_id}", "incident:x"),
        "raw_path": b"",
        "root_path": "",
        "query_string": b"",
        "headers": headers,
        "client": None,
        "server": None,
    }
    await APP(scope, receive, send)
    return answered[0]["status"], reads


def test_there_are_routes_to_look_at() -> None:
    assert ("POST", "/v1/incidents/{incident_id}/decision") in WITH_TOKEN
    assert ("POST", "/v1/alerts/alertmanager") in WITH_TOKEN


@pytest.mark.parametrize(("method", "path"), WITH_TOKEN)
@pytest.mark.parametrize("token", [None, "wrong"], ids=["no token", "a wrong one"])
async def test_a_stranger_is_refused_before_the_body_is_read(method: str, path: str, token: str | None) -> None:
    assert await ask(method, path, token) == (401, 0)


@pytest.mark.parametrize(("method", "path"), [route for route in WITH_TOKEN if route[0] == "POST"])
async def test_a_body_is_not_read_where_it_says_that_it_is_too_long_or_no_json(method: str, path: str) -> None:
    token = API_TOKEN if "alerts" in path else OPERATOR_TOKEN
    assert await ask(method, path, token) == (413, 0)
    assert await ask(method, path, token, media=b"text/plain") == (415, 0)
