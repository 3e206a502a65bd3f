"""What somebody may cost who has no token: some headers, some seconds, and no byte of a body."""

import asyncio
import contextlib
from datetime import timedelta

import pytest
from tests.contract.front_door.conftest import Door
from tests.contract.front_door.speaking import Connection, chunk, head
from tests.unit.api.api_client import API_TOKEN

from opsmend.api import connections

MIB = 1024 * 1024
ROUTES = [
    pytest.param("/v1/alerts/alertmanager", id="alerts"),
    pytest.param("/v1/alerts/nagios", id="an unknown source"),
    pytest.param("/v1/incidents/incident:x/decision", id="decision"),
    pytest.param("/v1/slack/events", id="slack"),
]
LENGTHS = [
    pytest.param({"content_length": str(300 * MIB)}, id="declared"),
    pytest.param({"transfer_encoding": "chunked"}, id="chunked"),
]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("path", ROUTES)
async def test_a_long_body_without_a_token_is_refused_before_it_is_read(door: Door, path: str, length: dict[str, str]) -> None:
    stranger = await door.connect()
    await stranger.say(head("POST", path, content_type="application/json", **length))
    refused = await stranger.answer()  # nothing of the body has been sent
    assert (refused.status, refused.problem["type"]) == (401, "unauthorized")
    said = await stranger.say_while_heard(chunk(b"x" * 65536), 300 * MIB)
    assert said < 20 * MIB  # what was on its way
    assert await stranger.ends()


async def test_who_is_refused_reads_why_although_a_body_is_on_its_way(door: Door) -> None:
    stranger = await door.connect()
    body = b"x" * 900_000
    await stranger.say(head("POST", "/v1/alerts/alertmanager", content_length=str(len(body)), connection="close"), body)
    assert (await stranger.answer()).status == 401
    assert await stranger.ends()


async def test_nobody_is_asked_to_go_on_before_they_are_known(door: Door) -> None:
    stranger = await door.connect()
    await stranger.say(head("POST", "/v1/alerts/alertmanager", content_length="100", expect="100-continue"))
    assert (await stranger.answer()).status == 401
    sender = await door.connect()
    token = f"Bearer {API_TOKEN}"
    media = "application/json"
    expects = head(
        "POST", "/v1/alerts/generic", content_length="2", expect="100-continue", authorization=token, content_type=media
    )
    await sender.say(expects)
    assert (await sender.answer()).status == 100
    await sender.say(b"[]")
    assert (await sender.answer()).status == 202


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([b"x-%d: y\r\n" % n for n in range(100_000)], id="100,000 of them"),
        pytest.param([b"x-%d: y\r\n" % n for n in range(101)], id="a few too many"),
        pytest.param([b"x: ", *[b"y" * 65536] * 100], id="one that does not end"),
        pytest.param([b"x: " + b"y" * connections.HEAD_LIMIT + b"\r\n"], id="one that is too long"),
        pytest.param([b"x" * 65536] * 100, id="a name that does not end"),
    ],
)
async def test_headers_have_a_bound(door: Door, headers: list[bytes]) -> None:
    stranger = await door.connect()
    await stranger.say(b"GET /healthz HTTP/1.1\r\nhost: opsmend.test\r\n")
    said = asyncio.create_task(_say_all(stranger, [*headers, b"\r\n"]))
    refused = await stranger.answer()
    assert (refused.status, refused.problem["type"]) == (431, "request_header_fields_too_large")
    assert await stranger.ends()
    await said


async def test_an_address_has_a_bound(door: Door) -> None:
    stranger = await door.connect()
    said = asyncio.create_task(_say_all(stranger, [b"GET /", *[b"x" * 65536] * 100, b" HTTP/1.1\r\n\r\n"]))
    assert (await stranger.answer()).status == 431
    assert await stranger.ends()
    await said


async def test_as_many_headers_as_proxies_add_are_taken(door: Door) -> None:
    sender = await door.connect()
    await sender.say(head("GET", "/healthz", **{f"x_{n}": "y" * 200 for n in range(98)}))
    assert (await sender.answer()).status == 200


async def test_headers_that_drip_are_ended(door: Door) -> None:
    stranger = await door.connect()
    await stranger.say(b"GET /healthz HTTP/1.1\r\n")
    dripping = asyncio.create_task(_drip(stranger))
    late = await stranger.answer()
    assert (late.status, late.problem["type"]) == (408, "request_timeout")
    assert await stranger.ends()
    await dripping


@pytest.mark.parametrize("said", [b"", b"\r\n\r\n"], ids=["nothing", "blank lines"])
async def test_who_asks_nothing_is_ended(door: Door, said: bytes) -> None:
    silent = await door.connect()
    await silent.say(said)
    assert await silent.ends()


async def test_blank_lines_after_a_request_keep_no_connection(door: Door) -> None:
    stranger = await door.connect()
    assert await stranger.goes_on()
    await stranger.say(b"\r\n")
    assert await stranger.ends()


async def test_a_second_request_has_the_same_bounds(door: Door) -> None:
    stranger = await door.connect()
    assert await stranger.goes_on()
    await stranger.say(b"GET /healthz HTTP/1.1\r\nx: ")
    late = await stranger.answer()
    assert late.status == 408
    assert await stranger.ends()


async def test_a_connection_may_be_used_again(door: Door) -> None:
    sender = await door.connect()
    assert await sender.goes_on()
    assert await sender.goes_on()


async def test_silent_connections_give_way_to_one_that_asks(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 8)
    monkeypatch.setattr(connections, "HEAD_WITHIN", timedelta(minutes=5))
    crowd = [await door.connect() for _ in range(20)]
    sender = await door.connect()
    assert await sender.goes_on()
    assert door.open_connections <= 8
    assert await crowd[0].ends()


async def test_requests_that_are_sent_far_ahead_are_not_kept(door: Door) -> None:
    stranger = await door.connect()
    await stranger.say(head("GET", "/healthz") * 2_000)
    answered = 0
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while (await stranger.answer()).status == 200:
            answered += 1
    assert answered <= 2 * connections.PIPELINED


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", id="TLS"),
        pytest.param(b"GET \xff\xfe HTTP/1.1\r\n\r\n", id="an address that is no text"),
        pytest.param(b"POST /v1/alerts/generic HTTP/1.1\r\ncontent-length: -1\r\n\r\n", id="a negative length"),
        pytest.param(
            b"POST /v1/alerts/generic HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", id="two lengths"
        ),
    ],
)
async def test_what_is_no_http_is_told_so(door: Door, said: bytes) -> None:
    stranger = await door.connect()
    await stranger.say(said)
    refused = await stranger.answer()
    assert (refused.status, refused.problem["type"]) == (400, "bad_request")
    assert await stranger.ends()


async def _say_all(connection: Connection, parts: list[bytes]) -> None:
    """As far as anybody listens."""
    try:
        for part in parts:
            await connection.say(part)
    except ConnectionError:
        pass


async def _drip(connection: Connection) -> None:
    try:
        for number in range(10_000):
            await connection.say(b"x-%d: y\r\n" % number)
            await asyncio.sleep(0.02)
    except ConnectionError:
        pass
