"""What an operator gets when answering over HTTP."""

from typing import Any

import httpx
import pytest
from tests.builders import an_incident, an_incident_awaiting_approval
from tests.desk_in_memory import DeskInMemory
from tests.unit.api.api_client import API_TOKEN, OPERATOR_TOKEN, a_client, an_app

from opsmend.domain.approval import Answer
from opsmend.errors import AlreadyDecidedError, OpsmendError, PlanHashStaleError, PolicyRefusedError, TemporalUnavailableError

WEB = "incident:demo:shop:deployment:web"


def asking() -> tuple[DeskInMemory, str]:
    state = an_incident_awaiting_approval()
    assert state.plan
    return DeskInMemory(state), state.plan.hash


async def decide(desk: DeskInMemory, body: dict[str, Any], *, token: str = OPERATOR_TOKEN) -> httpx.Response:
    async with a_client(desk, token=token) as client:
        return await client.post(f"/v1/incidents/{WEB}/decision", json=body)


async def test_approval_of_the_shown_plan_is_recorded_with_who_gave_it() -> None:
    desk, plan_hash = asking()
    response = await decide(desk, {"plan_hash": plan_hash, "decision": "approve", "name": "mia", "reason": "looks right"})
    assert (response.status_code, response.json()) == (
        200,
        {"incident_id": WEB, "plan_hash": plan_hash, "decision": "approve"},
    )
    ((incident_id, request),) = desk.decisions
    assert (incident_id, request.decision, request.reason) == (WEB, Answer.APPROVE, "looks right")
    assert (request.by.via, request.by.id, request.by.name) == ("http", "operator", "mia")
    assert request.by.groups == ()  # nobody vouched for any


async def test_decision_for_an_older_plan_is_rejected_and_changes_nothing() -> None:
    desk, _ = asking()
    response = await decide(desk, {"plan_hash": "0" * 64, "decision": "approve"})
    assert (response.status_code, response.json()["error"]["type"]) == (409, "plan_hash_stale")
    assert desk.decisions == []


async def test_second_decision_is_rejected() -> None:
    desk, plan_hash = asking()
    await decide(desk, {"plan_hash": plan_hash, "decision": "approve"})
    response = await decide(desk, {"plan_hash": plan_hash, "decision": "reject"})
    assert (response.status_code, response.json()["error"]["type"]) == (409, "already_decided")


async def test_decision_without_an_open_question_is_rejected() -> None:
    response = await decide(DeskInMemory(an_incident()), {"plan_hash": "0" * 64, "decision": "approve"})
    assert (response.status_code, response.json()["error"]["type"]) == (409, "nothing_to_decide")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(PolicyRefusedError("Policy does not let operator decide."), 403, id="policy"),
        pytest.param(PlanHashStaleError("Stale."), 409, id="stale"),
        pytest.param(AlreadyDecidedError("Late."), 409, id="late"),
        pytest.param(TemporalUnavailableError("Away."), 503, id="temporal away"),
    ],
)
async def test_refusal_of_the_incident_is_passed_on(error: OpsmendError, status: int) -> None:
    desk, plan_hash = asking()
    desk.refuses_to_decide = error
    response = await decide(desk, {"plan_hash": plan_hash, "decision": "approve"})
    assert (response.status_code, response.json()["error"]["message"]) == (status, str(error))


async def test_unknown_incident_cannot_be_decided() -> None:
    response = await decide(DeskInMemory(), {"plan_hash": "0" * 64, "decision": "approve"})
    assert response.status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"decision": "approve"}, "plan_hash", id="no hash"),
        pytest.param({"plan_hash": "", "decision": "approve"}, "plan_hash", id="empty hash"),
        pytest.param({"plan_hash": "a", "decision": "yes"}, "decision", id="unknown decision"),
        pytest.param({"plan_hash": "a", "decision": "reject", "reason": "x" * 2001}, "reason", id="long reason"),
        pytest.param({"plan_hash": "a", "decision": "approve", "force": True}, "force", id="unknown field"),
    ],
)
async def test_malformed_decision_is_answered_by_field(body: dict[str, Any], field: str) -> None:
    desk, _ = asking()
    response = await decide(desk, body)
    assert response.status_code == 422
    assert response.json()["error"]["message"].startswith(f"{field}: ")
    assert desk.decisions == []


async def test_webhook_token_does_not_decide() -> None:
    desk, plan_hash = asking()
    response = await decide(desk, {"plan_hash": plan_hash, "decision": "approve"}, token=API_TOKEN)
    assert (response.status_code, response.json()["error"]["type"]) == (403, "wrong_token")
    assert desk.decisions == []


async def test_unknown_token_does_not_decide() -> None:
    desk, plan_hash = asking()
    response = await decide(desk, {"plan_hash": plan_hash, "decision": "approve"}, token="guess")
    assert response.status_code == 401
    assert desk.decisions == []


async def test_without_an_operator_token_nobody_decides_over_http() -> None:
    desk, plan_hash = asking()
    app = an_app(desk, operator_token=None)
    for token, status in ((API_TOKEN, 403), ("", 401), ("None", 401)):
        async with a_client(desk, token=token, app=app) as client:
            body = {"plan_hash": plan_hash, "decision": "approve"}
            assert (await client.post(f"/v1/incidents/{WEB}/decision", json=body)).status_code == status
    assert desk.decisions == []
