"""A storm's alerts are each in an incident of their own target, or they count as lost."""

import pytest
from bench.alerts import CLUSTER, Storm
from bench.storm import account_for
from tests.builders import NOW

from opsmend.api.alerts import SOURCES
from opsmend.domain.alert import Alert
from opsmend.domain.incident import IncidentState

STORM = Storm(targets=45, alerts_each=3)


def received(storm: Storm) -> dict[str, list[Alert]]:
    """What the webhooks of `storm` come to, by incident."""
    by_incident: dict[str, list[Alert]] = {}
    for body in storm.webhooks():
        for alert in SOURCES["alertmanager"](body, CLUSTER).alerts:
            by_incident.setdefault(alert.target.incident_id, []).append(alert)
    return by_incident


def a_state(incident: str, alerts: list[Alert]) -> IncidentState:
    return IncidentState(
        id=incident,
        run_id="run-1",
        target=alerts[0].target,
        opened_at=NOW,
        alerts=tuple(alerts),
        alerts_received=len(alerts),
    )


@pytest.fixture
def states() -> list[IncidentState]:
    return [a_state(incident, alerts) for incident, alerts in received(STORM).items()]


def test_what_is_expected_is_what_the_webhooks_hold() -> None:
    sent = {incident: {alert.fingerprint for alert in alerts} for incident, alerts in received(STORM).items()}
    assert sent == STORM.expected()
    assert sum(map(len, sent.values())) == STORM.alerts


def test_nothing_is_lost_when_every_incident_has_its_alerts(states: list[IncidentState]) -> None:
    account = account_for(STORM.expected(), states)
    assert (account.incidents, account.alerts_lost, account.alerts_received) == (45, 0, 135)


def test_a_missing_incident_loses_all_its_alerts(states: list[IncidentState]) -> None:
    assert account_for(STORM.expected(), states[1:]).alerts_lost == 3


def test_an_alert_in_the_incident_of_another_target_is_lost(states: list[IncidentState]) -> None:
    first, second, *others = states
    swapped = [first.model_copy(update={"alerts": second.alerts}), second, *others]
    assert account_for(STORM.expected(), swapped).alerts_lost == 3


def test_an_alert_that_no_incident_counted_is_lost(states: list[IncidentState]) -> None:
    first, *others = states
    miscounted = [first.model_copy(update={"alerts_received": 2}), *others]
    assert account_for(STORM.expected(), miscounted).alerts_lost == 1


def test_a_second_incident_of_a_target_is_counted(states: list[IncidentState]) -> None:
    assert account_for(STORM.expected(), [*states, states[0]]).incidents == 46
