"""What PagerDuty is told, and that its stand-in refuses what PagerDuty refuses."""

from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.contract.pager.conftest import INCIDENT, PagerDutySide, a_page, an_end

from opsmend.adapters.pager.pagers import pager_of
from opsmend.domain.ports.pager import Pager
from opsmend.errors import PagerRejectedError, PagerUnavailableError


@pytest.fixture
def pager(pagerduty: PagerDutySide, stack: AsyncExitStack) -> Pager:
    return pager_of(pagerduty.settings, stack)


async def test_all_calls_of_an_incident_are_one_incident_there(pager: Pager, pagerduty: PagerDutySide) -> None:
    for key in ("question-1", "escalation-1", "undo_failed-1"):
        await pager.trigger(a_page(key=key))
    (incident,) = pagerduty.standin.incidents
    assert (incident.dedup_key, incident.status, len(incident.triggers)) == (INCIDENT, "triggered", 3)
    await pager.resolve(an_end())
    assert incident.status == "resolved"


async def test_what_was_never_triggered_is_not_resolved_into_being(pager: Pager, pagerduty: PagerDutySide) -> None:
    await pager.resolve(an_end())
    assert pagerduty.standin.incidents == []


@pytest.mark.parametrize(
    ("reason", "severity", "told"),
    [
        ("question", "info", "info"),
        ("escalation", "warning", "warning"),
        ("rolled_back", "critical", "critical"),
        ("undo_failed", "info", "critical"),
    ],
)
async def test_severity_is_the_alerts_own_unless_a_change_may_do_harm(
    pager: Pager, pagerduty: PagerDutySide, reason: str, severity: str, told: str
) -> None:
    await pager.trigger(a_page(reason=reason, severity=severity))
    payload = pagerduty.standin.incidents[0].triggers[0].payload
    assert (payload.severity, payload.source, payload.component, payload.group) == (
        told,
        "demo/Deployment shop/web",
        "web",
        "shop",
    )


async def test_an_id_that_is_too_long_for_a_key_has_a_key_of_its_own(pager: Pager, pagerduty: PagerDutySide) -> None:
    ids = [f"incident:demo:shop:deployment:{'w' * 240}{end}" for end in ("a", "b")]
    for _ in range(2):
        for long_id in ids:
            await pager.trigger(a_page(incident_id=long_id))
    assert len(pagerduty.standin.incidents) == 2
    await pager.resolve(an_end(incident_id=ids[0]))
    assert [incident.status for incident in pagerduty.standin.incidents] == ["resolved", "triggered"]


async def test_its_own_words_are_passed_on(stack: AsyncExitStack, pagerduty: PagerDutySide) -> None:
    with pytest.raises(PagerRejectedError, match="Invalid routing key"):
        await pager_of(pagerduty.wrong_credential, stack).trigger(a_page())


async def test_being_told_to_slow_down_carries_the_time_to_wait(pager: Pager, pagerduty: PagerDutySide) -> None:
    pagerduty.is_busy()
    with pytest.raises(PagerUnavailableError) as raised:
        await pager.trigger(a_page())
    assert raised.value.retry_after == timedelta(seconds=90)


# --- the stand-in ------------------------------------------------------------------------------------------------------------

PAYLOAD = {"summary": "s", "source": "here", "severity": "info"}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"routing_key": "short"}, id="unknown key"),
        pytest.param({"routing_key": None}, id="no key"),
        pytest.param({"event_action": "page"}, id="unknown action"),
        pytest.param({"dedup_key": "x" * 256}, id="dedup_key of 256"),
        pytest.param({"payload": None}, id="no payload"),
        pytest.param({"payload": PAYLOAD | {"summary": "x" * 1025}}, id="summary of 1025"),
        pytest.param({"payload": PAYLOAD | {"summary": ""}}, id="empty summary"),
        pytest.param({"payload": PAYLOAD | {"severity": "high"}}, id="unknown severity"),
        pytest.param({"payload": PAYLOAD | {"timestamp": "yesterday"}}, id="timestamp that is none"),
        pytest.param({"payload": PAYLOAD | {"custom_details": "text"}}, id="details that are no object"),
        pytest.param({"links": [{"text": "no address"}]}, id="link without address"),
        pytest.param({"colour": "red"}, id="unknown field"),
        pytest.param({"event_action": "resolve", "dedup_key": None, "payload": None}, id="resolve of nothing"),
    ],
)
async def test_the_stand_in_refuses_a_malformed_event(pagerduty: PagerDutySide, changes: dict[str, Any]) -> None:
    event = {
        "routing_key": pagerduty.standin.routing_key,
        "event_action": "trigger",
        "dedup_key": "k",
        "payload": PAYLOAD,
    } | changes
    event = {name: value for name, value in event.items() if value is not None}
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(pagerduty.server.url, json=event)
    assert (answer.status_code, answer.json()["status"]) == (400, "invalid event")
    assert pagerduty.standin.incidents == []
