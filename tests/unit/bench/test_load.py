"""The closed loop: all work is done once, with as many calls in flight as there are callers."""

import asyncio

import pytest
from bench.alerts import CLUSTER, onto_open_targets, resends, to_new_targets
from bench.lives import payload_of
from bench.load import post, put_through

from opsmend.api.alerts import SOURCES
from opsmend.domain.alert import Alert


async def test_every_item_is_put_through_once_and_timed() -> None:
    done: list[int] = []

    async def call(item: int) -> None:
        await asyncio.sleep(0)
        done.append(item)

    load = await put_through(range(100), [call] * 7)

    assert sorted(done) == list(range(100))
    assert len(load.calls) == 100
    assert load.rate > 0


async def test_no_more_calls_are_in_flight_than_there_are_callers() -> None:
    in_flight = most = 0

    async def call(item: int) -> None:
        nonlocal in_flight, most
        in_flight += 1
        most = max(most, in_flight)
        await asyncio.sleep(0)
        in_flight -= 1

    await put_through(range(50), [call] * 4)
    assert most == 4


async def test_a_call_that_fails_fails_the_round() -> None:
    async def call(item: int) -> None:
        raise ConnectionError("refused")

    with pytest.raises(ConnectionError):
        await put_through(range(3), [call])


def test_a_request_names_its_length_and_carries_the_token() -> None:
    head, _, body = post("/v1/alerts/alertmanager", b'{"a":1}', "secret").partition(b"\r\n\r\n")
    assert b"Content-Length: 7" in head
    assert b"Authorization: Bearer secret" in head
    assert body == b'{"a":1}'


def alerts_in(bodies: list[bytes]) -> list[Alert]:
    return [alert for body in bodies for alert in SOURCES["alertmanager"](body, CLUSTER).alerts]


def test_new_targets_are_new_in_every_series() -> None:
    alerts = alerts_in(to_new_targets(20, "new-a") + to_new_targets(20, "new-b"))
    assert len({alert.target.incident_id for alert in alerts}) == 40


def test_alerts_onto_open_targets_differ_but_their_targets_do_not() -> None:
    alerts = alerts_in(onto_open_targets(30, "open", 5, first=0) + onto_open_targets(30, "open", 5, first=30))
    assert len({alert.target.incident_id for alert in alerts}) == 5
    assert len({alert.firing for alert in alerts}) == 60


def test_resends_are_identical() -> None:
    bodies = resends(30, "open", 5)
    assert len(set(bodies)) == 5


@pytest.mark.parametrize("size", [60, 500, 5000])
def test_a_payload_has_about_the_size_asked_for(size: int) -> None:
    written = len(str(payload_of(size)).replace(" ", ""))
    assert written == pytest.approx(size, rel=0.3, abs=20)
