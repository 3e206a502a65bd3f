"""Every question of an incident has an id, a text and its answers; whoever answers needs to know nothing else."""

import pytest
from tests.builders import a_plan, an_incident, an_incident_awaiting_approval
from tests.desk_in_memory import DeskInMemory
from tests.unit.api.api_client import API_TOKEN, a_client

from opsmend.domain.approval import Answer

WEB = "incident:demo:shop:deployment:web"
PLAN = a_plan()
QUESTIONS, ANSWER = f"/v1/incidents/{WEB}/questions", f"/v1/incidents/{WEB}/answer"


@pytest.fixture
def desk() -> DeskInMemory:
    return DeskInMemory(an_incident_awaiting_approval(plan=PLAN))


async def test_the_question_about_a_plan_has_its_hash_and_the_two_answers(desk: DeskInMemory) -> None:
    async with a_client(desk, token=API_TOKEN) as http:
        (question,) = (await http.get(QUESTIONS)).json()["questions"]
    assert (question["id"], question["kind"]) == (PLAN.hash, "approval")
    assert [(option["answer"], option["needs_reason"]) for option in question["options"]] == [
        ("approve", False),
        ("reject", True),
    ]


async def test_an_incident_that_asks_nothing_has_no_questions() -> None:
    async with a_client(DeskInMemory(an_incident())) as http:
        assert (await http.get(QUESTIONS)).json() == {"questions": []}


async def test_an_answer_reaches_the_incident_as_the_decision_about_exactly_this_plan(desk: DeskInMemory) -> None:
    async with a_client(desk) as http:
        body = {"question_id": PLAN.hash, "answer": "reject", "reason": "freeze", "name": "mia"}
        assert (await http.post(ANSWER, json=body)).status_code == 200
    ((incident_id, request),) = desk.decisions
    assert (incident_id, request.plan_hash, request.decision) == (WEB, PLAN.hash, Answer.REJECT)
    assert (request.reason, request.by.name) == ("freeze", "mia")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"question_id": "0" * 64, "answer": "approve"}, 409),
        ({"question_id": PLAN.hash, "answer": "maybe"}, 422),
        ({"question_id": PLAN.hash}, 422),
        ({"answer": "approve"}, 422),
        ({"question_id": PLAN.hash, "answer": "approve", "plan_hash": PLAN.hash}, 422),
    ],
    ids=["another-question", "another-word", "no-answer", "no-question", "unknown-field"],
)
async def test_what_answers_no_open_question_decides_nothing(desk: DeskInMemory, body: dict[str, str], status: int) -> None:
    async with a_client(desk) as http:
        assert (await http.post(ANSWER, json=body)).status_code == status
    assert desk.decisions == []


async def test_the_webhook_token_answers_nothing(desk: DeskInMemory) -> None:
    async with a_client(desk, token=API_TOKEN) as http:
        assert (await http.post(ANSWER, json={"question_id": PLAN.hash, "answer": "approve"})).status_code == 403
    assert desk.decisions == []
