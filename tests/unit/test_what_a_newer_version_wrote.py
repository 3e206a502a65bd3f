"""What only tells is read as far as it is known; what something is done by is read whole or not at all."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError
from tests.builders import a_decision_request, a_diagnosis, a_plan, an_alert, an_incident_awaiting_approval, some_evidence

from opsmend.adapters.temporal.payloads import DATA_CONVERTER
from opsmend.domain.alert import Alert
from opsmend.domain.approval import Approval, DecisionRequest
from opsmend.domain.diagnosis import Diagnosis
from opsmend.domain.execution import ApprovedPlan
from opsmend.domain.incident import AlertsReceived, IncidentState
from opsmend.domain.plan import Plan
from opsmend.domain.record import newer_version
from opsmend.domain.verdict import PolicyDecision, SecurityVerdict
from opsmend.errors import NewerVersionError

CONVERTER = DATA_CONVERTER.payload_converter


def through_temporal(value: dict[str, Any], model: type[Any]) -> Any:
    return CONVERTER.from_payload(CONVERTER.to_payload(value), model)


def all_within(model: type[BaseModel], seen: set[type[BaseModel]] | None = None) -> Iterator[type[BaseModel]]:
    """`model` and every model that is in it."""
    seen = set() if seen is None else seen
    if model in seen:
        return
    seen.add(model)
    yield model
    for field in model.model_fields.values():
        for part in _models_of(field.annotation):
            yield from all_within(part, seen)


def _models_of(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_of(argument)


@pytest.mark.parametrize("root", [Plan, ApprovedPlan, DecisionRequest, Approval, PolicyDecision, SecurityVerdict])
def test_no_part_of_what_something_is_done_by_may_be_half_read(root: type[BaseModel]) -> None:
    lenient = [model.__name__ for model in all_within(root) if model.model_config.get("extra") != "forbid"]
    assert lenient == []


@pytest.mark.parametrize("root", [Alert, AlertsReceived])
def test_no_part_of_an_alert_is_refused_for_a_field_too_many(root: type[BaseModel]) -> None:
    strict = [model.__name__ for model in all_within(root) if model.model_config.get("extra") == "forbid"]
    assert strict == []


def test_an_alert_is_read_as_far_as_it_is_known() -> None:
    alert = an_alert()
    newer = {"alerts": [alert.model_dump(mode="json") | {"runbook": "https://…"}], "batch": 7}
    assert through_temporal(newer, AlertsReceived) == AlertsReceived(alerts=(alert,))


def test_a_diagnosis_is_read_as_far_as_it_is_known() -> None:
    diagnosis = a_diagnosis(evidence=(some_evidence(),))
    newer = diagnosis.model_dump(mode="json") | {"model": "next"}
    newer["evidence"][0]["weight"] = 3
    assert through_temporal(newer, Diagnosis) == diagnosis


def test_a_class_of_failure_that_only_a_newer_version_knows_is_read() -> None:
    newer = a_diagnosis().model_dump(mode="json") | {"category": "clock_skew"}
    assert through_temporal(newer, Diagnosis).category == "clock_skew"


def test_what_is_shown_is_read_as_far_as_it_is_known_the_plan_too() -> None:
    state = an_incident_awaiting_approval()
    newer = state.model_dump(mode="json") | {"owner": "payments"}
    newer["plan"]["steps"][0]["window"] = "tonight"
    assert through_temporal(newer, IncidentState) == state


def test_a_plan_with_more_in_it_is_not_read_at_all() -> None:
    newer = a_plan().model_dump(mode="json")
    newer["steps"][0]["window"] = "tonight"
    with pytest.raises(NewerVersionError, match=r"steps\.0\.window.*a newer worker is needed"):
        through_temporal(newer, Plan)


def test_a_plan_with_an_unknown_action_is_not_read_at_all() -> None:
    newer = a_plan().model_dump(mode="json")
    newer["steps"][0]["action"]["type"] = "drain_region"
    with pytest.raises(NewerVersionError, match=r"steps\.0\.action.*a newer worker is needed"):
        through_temporal(newer, Plan)


def test_what_lacks_something_was_written_by_no_version() -> None:
    broken = a_decision_request().model_dump(mode="json") | {"plan": "1"}
    del broken["plan_hash"]
    with pytest.raises(ValidationError) as raised:
        DecisionRequest.model_validate(broken)
    assert newer_version(raised.value) is None
