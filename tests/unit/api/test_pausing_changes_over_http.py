"""Pausing, resuming and releasing over HTTP take the operator token; looking takes either."""

from datetime import UTC, datetime

import httpx
import pytest
from tests.change_control_in_memory import ChangeControlInMemory
from tests.desk_in_memory import DeskInMemory
from tests.unit.api.api_client import API_TOKEN, OPERATOR_TOKEN, a_client, an_app

from opsmend.domain.change_control import HeldTarget

PAUSE = "/v1/changes/pause"
HELD = HeldTarget(target="Deployment shop/web", since=datetime(2026, 3, 14, tzinfo=UTC), why="changed by 3 plans")


@pytest.fixture
def control() -> ChangeControlInMemory:
    return ChangeControlInMemory()


def client(control: ChangeControlInMemory, token: str | None = OPERATOR_TOKEN) -> httpx.AsyncClient:
    desk = DeskInMemory()
    return a_client(desk, token=token, app=an_app(desk, control=control))


async def test_a_pause_is_told_with_who_and_why_until_somebody_resumes(control: ChangeControlInMemory) -> None:
    async with client(control) as http:
        paused = (await http.post(PAUSE, json={"reason": "release freeze", "name": "mia"})).json()
        assert (paused["paused"]["by"], paused["paused"]["reason"]) == ("mia (http)", "release freeze")
        assert (await http.get("/v1/changes")).json() == paused
        assert (await http.post("/v1/changes/resume", json={"name": "ben"})).json()["paused"] is None


@pytest.mark.parametrize("path", [PAUSE, "/v1/changes/resume", "/v1/changes/release"])
@pytest.mark.parametrize(("token", "status"), [(API_TOKEN, 403), ("wrong", 401), (None, 401)])
async def test_only_the_operator_token_pauses_resumes_and_releases(
    control: ChangeControlInMemory, path: str, token: str | None, status: int
) -> None:
    async with client(control, token) as http:
        body = {"kind": "Deployment", "namespace": "shop", "object_name": "web"} if path.endswith("release") else {}
        assert (await http.post(path, json=body)).status_code == status
    assert control.kept.pause is None


async def test_the_webhook_token_may_look(control: ChangeControlInMemory) -> None:
    async with client(control, API_TOKEN) as http:
        assert (await http.get("/v1/changes")).status_code == 200


async def test_a_held_object_is_released_by_its_kind_namespace_and_name(control: ChangeControlInMemory) -> None:
    control.kept = control.kept.model_copy(update={"held": (HELD,)})
    body = {"kind": "Deployment", "namespace": "shop", "object_name": "web"}
    async with client(control) as http:
        assert [held["target"] for held in (await http.get("/v1/changes")).json()["held"]] == ["Deployment shop/web"]
        assert (await http.post("/v1/changes/release", json=body)).json()["held"] == []
        again = await http.post("/v1/changes/release", json=body)
    assert (again.status_code, again.json()["error"]["type"]) == (409, "nothing_to_release")


@pytest.mark.parametrize(
    "body",
    [{"reason": "x" * 501}, {"reason": 7}, {"until": "tomorrow"}, [], "pause"],
    ids=["long", "number", "unknown", "list", "text"],
)
async def test_a_body_of_another_shape_pauses_nothing(control: ChangeControlInMemory, body: object) -> None:
    async with client(control) as http:
        assert (await http.post(PAUSE, json=body)).status_code == 422
    assert control.kept.pause is None


async def test_while_it_cannot_be_read_the_answer_is_503(control: ChangeControlInMemory) -> None:
    control.down = True
    async with client(control) as http:
        answers = [await http.get("/v1/changes"), await http.post(PAUSE, json={})]
    assert [answer.status_code for answer in answers] == [503, 503]
