"""Health, readiness, metrics, and what the API needs to start."""

import asyncio
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter
from tests.desk_in_memory import DeskInMemory
from tests.unit.api.api_client import API_TOKEN, a_client, an_app

from opsmend.adapters.terminal.chat import TerminalChat
from opsmend.api import disk, readiness
from opsmend.api.problem import problem_type
from opsmend.api.worker_watch import WorkerWatch
from opsmend.domain.ports.workers import WorkQueue
from opsmend.errors import OpsmendError, SettingsError, TemporalUnavailableError, TransientError
from opsmend.telemetry import ApiMetrics


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json"])
async def test_condition_is_shown_without_a_token(path: str) -> None:
    async with a_client(DeskInMemory(), token=None) as client:
        assert (await client.get(path)).status_code == 200


async def test_who_started_an_api_can_tell_it_from_another() -> None:
    desk = DeskInMemory()
    for app, told in ((an_app(desk), {"status": "ok"}), (an_app(desk, instance="ours"), {"status": "ok", "instance": "ours"})):
        async with a_client(desk, token=None, app=app) as client:
            assert (await client.get("/healthz")).json() == told


async def test_api_is_alive_but_not_ready_while_temporal_is_away() -> None:
    async def away() -> bool:
        return False

    desk = DeskInMemory()
    async with a_client(desk, token=None, app=an_app(desk, ready=away)) as client:
        alive, ready = await client.get("/healthz"), await client.get("/readyz")
    assert (alive.status_code, ready.status_code) == (200, 503)
    assert ready.json()["error"]["type"] == "temporal_unavailable"


async def test_silent_temporal_counts_as_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "PROBE_DEADLINE", 0.01)

    async def silent() -> bool:
        return await asyncio.Event().wait()

    desk = DeskInMemory()
    async with a_client(desk, token=None, app=an_app(desk, ready=silent)) as client:
        assert (await client.get("/readyz")).status_code == 503


async def test_workers_that_are_away_are_shown_and_turn_no_alert_away() -> None:
    class Workers:
        async def work_queues(self) -> dict[str, WorkQueue]:
            return {"workflows": WorkQueue(at_work=True), "sre": WorkQueue(at_work=False)}

    metrics, desk = ApiMetrics(), DeskInMemory()
    watch = WorkerWatch(Workers(), TerminalChat(), metrics)
    await watch.look()
    async with a_client(desk, token=None, app=an_app(desk, metrics=metrics, watch=watch)) as client:
        ready, verbose = await client.get("/readyz"), await client.get("/readyz?verbose")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    assert (verbose.status_code, verbose.json()["workers"]) == (200, {"workflows": True, "sre": False})


async def test_a_disk_without_room_takes_no_alerts_and_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(disk, "LEAST_FREE", 2**62)
    desk = DeskInMemory()
    app = an_app(desk, data_dir=tmp_path)
    async with a_client(desk, token=API_TOKEN, app=app) as client:
        ready = await client.get("/readyz")
        alert = await client.post("/v1/alerts/generic", json={"name": "A", "status": "firing"})
    assert [answer.status_code for answer in (ready, alert)] == [503, 503]
    assert {answer.json()["error"]["type"] for answer in (ready, alert)} == {"disk_full"}
    assert "retry-after" in alert.headers
    assert desk.submitted == []


@pytest.mark.parametrize("where", ["none", "file/below"], ids=["not there", "cannot be there"])
async def test_where_no_state_is_kept_no_disk_is_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: str) -> None:
    monkeypatch.setattr(disk, "LEAST_FREE", 2**62)
    (tmp_path / "file").touch()
    desk = DeskInMemory()
    async with a_client(desk, token=None, app=an_app(desk, data_dir=tmp_path / where)) as client:
        assert (await client.get("/readyz")).status_code == 200


async def test_a_temporal_that_answers_and_takes_nothing_is_not_ready_until_it_takes_something() -> None:
    desk = DeskInMemory()
    desk.failing = TemporalUnavailableError("database or disk is full")
    async with a_client(desk, token=API_TOKEN, app=an_app(desk)) as client:
        before = await client.get("/readyz")
        await client.post("/v1/alerts/generic", json={"name": "A", "status": "firing"})
        failed = await client.get("/readyz")
        desk.failing = None
        await client.post("/v1/alerts/generic", json={"name": "A", "status": "firing"})
        after = await client.get("/readyz")
    assert [answer.status_code for answer in (before, failed, after)] == [200, 503, 200]
    assert "database or disk is full" in failed.json()["error"]["message"]


async def test_a_failure_is_not_held_against_temporal_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "REMEMBERED", 0)
    desk = DeskInMemory()
    desk.failing = TemporalUnavailableError("not now")
    async with a_client(desk, token=API_TOKEN, app=an_app(desk)) as client:
        await client.post("/v1/alerts/generic", json={"name": "A", "status": "firing"})
        assert (await client.get("/readyz")).status_code == 200


@pytest.mark.parametrize("token", [None, ""])
def test_api_does_not_start_without_an_intake_token(token: str | None) -> None:
    with pytest.raises(SettingsError, match="OPSMEND_API_TOKEN"):
        an_app(DeskInMemory(), api_token=token)


def _classes(root: type[OpsmendError]) -> list[type[OpsmendError]]:
    return [root, *(leaf for child in root.__subclasses__() for leaf in _classes(child))]


OURS = sorted((c for c in _classes(OpsmendError) if c.__module__ == "opsmend.errors"), key=lambda c: c.__name__)


@pytest.fixture(scope="module")
def desk_and_client() -> tuple[DeskInMemory, httpx.AsyncClient]:
    desk = DeskInMemory()
    return desk, a_client(desk)


@pytest.mark.parametrize("error", OURS, ids=lambda error: error.__name__)
async def test_every_error_of_ours_is_answered_with_its_own_status_and_type(
    error: type[OpsmendError], desk_and_client: tuple[DeskInMemory, httpx.AsyncClient]
) -> None:
    desk, client = desk_and_client
    desk.failing = error("It did not work.")
    response = await client.get("/v1/incidents")
    assert response.status_code == error.http_status
    assert response.json() == {"error": {"type": problem_type(error("")), "message": "It did not work."}}
    assert ("retry-after" in response.headers) is issubclass(error, TransientError)


async def test_further_routers_are_served_beside() -> None:
    router = APIRouter()

    @router.post("/slack/events")
    async def events() -> dict[str, bool]:
        return {"ok": True}

    desk = DeskInMemory()
    async with a_client(desk, token=None, app=an_app(desk, router)) as client:
        assert (await client.post("/slack/events")).json() == {"ok": True}
