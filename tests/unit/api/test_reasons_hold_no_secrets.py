"""A secret in the words of a person goes no further than the route that they came by."""

from typing import Any

import pytest
from pydantic import BaseModel

from opsmend.api.changes import PauseAsked
from opsmend.api.incidents import Decision
from opsmend.api.questions import AnswerGiven
from opsmend.api.steering import EndAsked, WrongAsked

SAID = "the new login is password=hunter2hunter2 until monday"


@pytest.mark.parametrize(
    ("body", "words", "rest"),
    [
        (Decision, "reason", {"plan_hash": "0a1b", "decision": "reject"}),
        (AnswerGiven, "reason", {"question_id": "0a1b", "answer": "reject"}),
        (PauseAsked, "reason", {}),
        (EndAsked, "reason", {}),
        (WrongAsked, "note", {}),
    ],
)
def test_it_is_masked(body: type[BaseModel], words: str, rest: dict[str, Any]) -> None:
    taken = body.model_validate({words: SAID, **rest}).model_dump_json()
    assert "hunter2" not in taken
    assert "until monday" in taken


@pytest.mark.parametrize(("body", "most"), [(PauseAsked, 500), (EndAsked, 500)])
def test_a_reason_that_grows_by_it_is_cut(body: type[BaseModel], most: int) -> None:
    said = ("pw=ab12cd34 " * most)[:most]
    assert len(body.model_validate({"reason": said}).model_dump()["reason"]) <= most
