"""A body that is read ends, by its length or by its time, also that of a sender with a token."""

import asyncio
import time
from datetime import timedelta

import pytest
from tests.contract.front_door.conftest import SIGNING_SECRET, Door
from tests.contract.front_door.speaking import Connection, chunk, head
from tests.slack_standin.interactions import form, signed
from tests.unit.api.api_client import API_TOKEN, OPERATOR_TOKEN

from opsmend.api import request_body, signed_route
from opsmend.api.request_body import BODY_LIMIT

JSON = {"content_type": "application/json"}
SENDER = JSON | {"authorization": f"Bearer {API_TOKEN}"}
OPERATOR = JSON | {"authorization": f"Bearer {OPERATOR_TOKEN}"}


def slack_headers(body: str = "") -> dict[str, str]:
    """Signed right for `body`, now."""
    return {name.replace("-", "_").lower(): value for name, value in signed(SIGNING_SECRET, time.time(), body).items()}


async def _routes(door: Door, **more: str) -> list[Connection]:
    """A connection to each route that reads bodies, its headers sent."""
    opened = []
    for path, headers in (
        ("/v1/alerts/alertmanager", SENDER),
        ("/v1/incidents/incident:x/decision", OPERATOR),
        ("/v1/slack/events", slack_headers()),
    ):
        connection = await door.connect()
        await connection.say(head("POST", path, **headers, **more))
        opened.append(connection)
    return opened


async def test_a_body_that_stops_half_way_is_ended(door: Door) -> None:
    for connection in await _routes(door, content_length="1000"):
        await connection.say(b'{"half": ')
        late = await connection.answer()
        assert (late.status, late.problem["type"]) == (408, "body_too_slow")
        assert await connection.ends()


async def test_a_body_that_drips_is_ended(door: Door) -> None:
    for connection in await _routes(door, transfer_encoding="chunked"):
        dripping = asyncio.create_task(_drip(connection))
        late = await connection.answer()
        assert late.status == 408
        assert await connection.ends()
        await dripping


async def test_a_body_that_never_ends_is_refused_at_its_bound(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "READ_WITHIN", timedelta(seconds=30))
    for connection in await _routes(door, transfer_encoding="chunked"):
        said = asyncio.create_task(connection.say_while_heard(chunk(b" " * 65536), 100 * BODY_LIMIT))
        refused = await connection.answer()
        assert (refused.status, refused.problem["type"]) == (413, "payload_too_large")
        assert await connection.ends()
        assert await said < 20 * BODY_LIMIT


async def test_a_body_that_is_declared_too_long_is_not_waited_for(door: Door) -> None:
    for connection in await _routes(door, content_length=str(BODY_LIMIT + 1)):
        assert (await connection.answer()).status == 413


async def test_a_chunk_that_is_all_extension_is_ended(door: Door) -> None:
    for connection in await _routes(door, transfer_encoding="chunked"):
        dripping = asyncio.create_task(connection.say_while_heard(b"5;" + b"x" * 65536, 1000 * BODY_LIMIT))
        assert (await connection.answer()).status in (400, 408)
        assert await connection.ends()
        await dripping


async def test_what_follows_a_chunked_body_is_no_header(door: Door) -> None:
    sender = await door.connect()
    await sender.say(
        head("POST", "/v1/alerts/generic", transfer_encoding="chunked", content_type="application/json"),
        chunk(b"[]") + b"0\r\nauthorization: Bearer " + API_TOKEN.encode() + b"\r\n\r\n",
    )
    assert (await sender.answer()).status == 401


async def test_slow_strangers_do_not_keep_out_a_genuine_click(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signed_route, "MOST_AT_ONCE", 4)
    crowd = []
    for _ in range(4):
        stranger = await door.connect()
        await stranger.say(head("POST", "/v1/slack/events", content_length="1000", **slack_headers()))
        crowd.append(stranger)
    genuine = await door.connect()
    body = form({"type": "url_verification", "challenge": "c4ll3ng3"})
    await genuine.say(head("POST", "/v1/slack/events", content_length=str(len(body)), **slack_headers(body)), body.encode())
    assert (await genuine.answer()).status == 200
    assert (await crowd[0].answer()).status == 503
    assert (await crowd[-1].answer()).status == 408


async def _drip(connection: Connection) -> None:
    try:
        while True:
            await connection.say(chunk(b" "))
            await asyncio.sleep(0.02)
    except ConnectionError:
        pass
