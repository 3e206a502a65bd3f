"""Lists are filtered by an incident's attributes, and the Temporal UI shows what it has come to without anybody's help."""

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata

from opsmend.domain.incident import MOST_ALERTS, Outcome, Status
from opsmend.workflows.incident import MOST_TIMELINE_ALERTS
from opsmend.workflows.search_attributes import ALL
from tests.builders import a_decision_request, a_target, an_alert
from tests.workflows.conftest import INCIDENT, World


async def attributes(world: World) -> dict[str, str | None]:
    described = await world.client.get_workflow_handle(INCIDENT).describe()
    return {key.name: described.typed_search_attributes.get(key) for key in ALL}


async def details(world: World) -> list[str]:
    """What the Temporal UI shows as the current details, by paragraphs."""
    handle = world.client.get_workflow_handle(INCIDENT)
    shown: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return shown.current_details.split("\n\n")


async def test_an_incident_is_found_by_all_that_people_filter_by(world: World) -> None:
    await world.alert(severity="critical")
    asked = await world.until_asked()
    found = {
        "OpsmendTarget": "Deployment shop/web",
        "OpsmendStatus": "awaiting_approval",
        "OpsmendOutcome": None,
        "OpsmendSeverity": "critical",
        "OpsmendAutonomy": "approve",
        "OpsmendSource": "alertmanager",
        "OpsmendTier": "rules",
    }
    assert await attributes(world) == found
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    await world.until_closed()
    assert await attributes(world) == found | {"OpsmendStatus": "closed", "OpsmendOutcome": "remediated"}


async def test_the_temporal_ui_shows_the_status_as_soon_as_it_changes(world: World) -> None:
    await world.until_verifying()
    assert (await details(world))[0] == "**verifying**"


async def test_the_temporal_ui_shows_cause_plan_decision_and_outcome(world: World) -> None:
    await world.alert()
    asked = await world.until_asked()
    assert asked.diagnosis is not None
    assert asked.plan is not None
    told = [f"Cause: {asked.diagnosis.summary}", f"Plan `{asked.plan.short_hash}`: {asked.plan.summary}"]
    assert (await details(world))[:3] == ["**awaiting_approval**", *told]
    await world.desk.decide(INCIDENT, a_decision_request(asked.plan))
    closed = await world.until(lambda s: any(entry.event == "memory.kept" for entry in s.timeline))
    first, *rest = await details(world)
    assert first == f"**closed** → **remediated**: {closed.closing}"
    assert rest[:3] == [*told, "approve by Mia (terminal)"]
    assert [line.split("`")[1] for line in rest[3:]] == [entry.event for entry in closed.timeline[-8:]]


async def test_of_a_storm_a_few_alerts_are_shown_and_all_are_counted_and_must_resolve(world: World) -> None:
    storm = tuple(an_alert(fingerprint=str(number)) for number in range(MOST_TIMELINE_ALERTS + 20))
    await world.desk.submit(a_target(), storm)
    asked = await world.until_asked()
    assert (len(asked.alerts), asked.alerts_received) == (MOST_ALERTS, len(storm))
    assert [entry.event for entry in asked.timeline].count("alert.firing") == MOST_TIMELINE_ALERTS
    resolved = tuple(alert.model_copy(update={"status": "resolved"}) for alert in storm)
    await world.desk.submit(a_target(), resolved[1:])
    still = await world.until(lambda s: s.alerts_received == 2 * len(storm) - 1)
    assert still.status is Status.AWAITING_APPROVAL
    await world.desk.submit(a_target(), resolved[:1])
    assert (await world.until_closed()).outcome is Outcome.SELF_RESOLVED


@pytest.mark.parametrize(("name", "severity"), [("KubePodCrashLooping", "warning"), ("Other", "critical")])
async def test_the_severity_is_that_of_the_worst_alert(world: World, name: str, severity: str) -> None:
    await world.desk.submit(a_target(), (an_alert(), an_alert(name=name, fingerprint="b", severity=severity)))
    await world.until_asked()
    assert (await attributes(world))["OpsmendSeverity"] == severity
