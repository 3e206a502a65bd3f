"""A signal that this version cannot read waits for a worker that can: the SDK would drop it after its sender was told 202."""

import pytest
from temporalio.api.enums.v1 import EventType

from opsmend.domain.incident import AlertsReceived
from tests.builders import NOW, a_decision_request, a_target, an_alert
from tests.workflows.conftest import INCIDENT, World


async def why_it_waits(world: World) -> str:
    """What the Temporal UI shows of the first task that failed."""
    while True:
        history = await world.client.get_workflow_handle(INCIDENT).fetch_history()
        for event in history.events:
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                return str(event.workflow_task_failed_event_attributes.failure)


@pytest.mark.parametrize(
    ("field", "word"), [pytest.param("severity", "page", id="severity"), pytest.param("status", "muted", id="status")]
)
@pytest.mark.safety
async def test_an_alert_with_a_word_that_nobody_knows_yet(world: World, field: str, word: str) -> None:
    await world.alert()
    await world.until_asked()
    alert = an_alert(fingerprint="another").model_dump(mode="json") | {field: word}
    await world.client.get_workflow_handle(INCIDENT).signal("alerts_received", {"alerts": [alert]})
    assert f"alerts.0.{field}" in await why_it_waits(world)


@pytest.mark.safety
async def test_an_alert_of_a_kind_of_target_that_nobody_knows_yet(world: World) -> None:
    await world.alert()
    await world.until_asked()
    alert = an_alert(fingerprint="another").model_dump(mode="json")
    alert["target"]["kind"] = "Certificate"
    await world.client.get_workflow_handle(INCIDENT).signal("alerts_received", {"alerts": [alert]})
    assert "a newer worker is needed" in await why_it_waits(world)


async def test_fields_that_nobody_knows_yet_are_no_hindrance(world: World) -> None:
    await world.alert()
    await world.until_asked()
    received = AlertsReceived(alerts=(an_alert(fingerprint="another", starts_at=NOW),)).model_dump(mode="json")
    received["alerts"][0]["runbook"] = received["batch"] = "new"
    received["alerts"][0]["target"]["region"] = "new"
    await world.client.get_workflow_handle(INCIDENT).signal("alerts_received", received)
    state = await world.until(lambda s: s.alerts_received == 2)
    assert {alert.target for alert in state.alerts} == {a_target()}


@pytest.mark.safety
async def test_an_answer_that_says_more_than_this_version_knows(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    answer = a_decision_request(asked.plan).model_dump(mode="json") | {"only_on": "tuesdays"}
    await world.client.get_workflow_handle(INCIDENT).signal("decide_by_signal", answer)
    assert "only_on" in await why_it_waits(world)
    assert world.cluster.changes == []


@pytest.mark.safety
async def test_what_is_no_answer_in_any_version_is_refused_and_holds_nothing_up(world: World) -> None:
    await world.alert()
    await world.until_asked()
    await world.client.get_workflow_handle(INCIDENT).signal("decide_by_signal", {"plan": "yes"})
    state = await world.until(lambda s: any(e.event == "decision.refused" for e in s.timeline))
    assert state.approval is None
