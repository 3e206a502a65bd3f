"""Health, readiness, metrics, and what the API needs to start."""

import asyncio

import pytest
from fastapi import APIRouter
from tests.desk_in_memory import DeskInMemory
from tests.unit.api.api_client import a_client, an_app

from opsmend.api import condition
from opsmend.api.problem import problem_type
from opsmend.errors import OpsmendError, SettingsError, TransientError


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json"])
async def test_condition_is_shown_without_a_token(path: str) -> None:
    async with a_client(DeskInMemory(), token=None) as client:
        assert (await client.get(path)).status_code == 200


async def test_api_is_alive_but_not_ready_while_temporal_is_away() -> None:
    async def away() -> bool:
        return False

    desk = DeskInMemory()
    async with a_client(desk, token=None, app=an_app(desk, ready=away)) as client:
        alive, ready = await client.get("/healthz"), await client.get("/readyz")
    assert (alive.status_code, ready.status_code) == (200, 503)
    assert ready.json()["error"]["type"] == "temporal_unavailable"


async def test_silent_temporal_counts_as_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(condition, "PROBE_DEADLINE", 0.01)

    async def silent() -> bool:
        return await asyncio.Event().wait()

    desk = DeskInMemory()
    async with a_client(desk, token=None, app=an_app(desk, ready=silent)) as client:
        assert (await client.get("/readyz")).status_code == 503


@pytest.mark.parametrize("token", [None, ""])
def test_api_does_not_start_without_an_intake_token(token: str | None) -> None:
    with pytest.raises(SettingsError, match="OPSMEND_API_TOKEN"):
        an_app(DeskInMemory(), api_token=token)


def _classes(root: type[OpsmendError]) -> list[type[OpsmendError]]:
    return [root, *(leaf for child in root.__subclasses__() for leaf in _classes(child))]


OURS = sorted((c for c in _classes(OpsmendError) if c.__module__ == "opsmend.errors"), key=lambda c: c.__name__)


@pytest.mark.parametrize("error", OURS, ids=lambda error: error.__name__)
async def test_every_error_of_ours_is_answered_with_its_own_status_and_type(error: type[OpsmendError]) -> None:
    desk = DeskInMemory()
    desk.failing = error("It did not work.")
    async with a_client(desk) as client:
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
