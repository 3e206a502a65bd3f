"""What a monitoring system gets when it posts alerts."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.builders import a_target, an_incident
from tests.desk_in_memory import DeskInMemory
from tests.unit.api.api_client import API_TOKEN, OPERATOR_TOKEN, a_client, an_app

from opsmend.api.request_body import BODY_LIMIT
from opsmend.domain.alert import AlertStatus
from opsmend.domain.incident import AlertsReceived
from opsmend.errors import AlertsRejectedError, TemporalUnavailableError
from opsmend.telemetry import ApiMetrics

JSON = {"Content-Type": "application/json"}
RECORDED = Path(__file__).parents[2] / "contract/alerts"
ONE = {"name": "QueueStuck", "status": "firing", "labels": {"namespace": "shop", "deployment": "web"}}


def an_alert_of(deployment: str, **changes: Any) -> dict[str, Any]:
    return ONE | {"labels": {"namespace": "shop", "deployment": deployment}} | changes


async def test_alert_that_opens_an_incident_is_accepted_with_its_id() -> None:
    desk = DeskInMemory()
    async with a_client(desk, token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=ONE)
    assert response.status_code == 202
    assert response.json() == {"incidents": [{"id": "incident:default:shop:deployment:web", "created": True}]}


async def test_second_alert_on_the_same_target_joins_from_any_source() -> None:
    desk = DeskInMemory()
    async with a_client(desk, token=API_TOKEN) as client:
        await client.post("/v1/alerts/generic", json=ONE)
        joined = await client.post("/v1/alerts/generic", json=an_alert_of("web", name="Other"))
    assert joined.json()["incidents"] == [{"id": "incident:default:shop:deployment:web", "created": False}]


async def test_a_cluster_label_makes_no_second_incident_while_the_watched_cluster_has_no_name() -> None:
    desk = DeskInMemory()
    named = an_alert_of("web", name="Other")
    named["labels"] = named["labels"] | {"cluster": "prod-eu"}
    async with a_client(desk, token=API_TOKEN) as client:
        await client.post("/v1/alerts/generic", json=ONE)
        joined = await client.post("/v1/alerts/generic", json=named)
    assert joined.json()["incidents"] == [{"id": "incident:default:shop:deployment:web", "created": False}]


async def test_resolved_alert_without_an_open_incident_opens_none() -> None:
    desk = DeskInMemory()
    async with a_client(desk, token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=ONE | {"status": "resolved"})
    assert (response.status_code, response.json()) == (202, {"incidents": []})


async def test_resolved_alert_reaches_its_open_incident() -> None:
    desk = DeskInMemory(an_incident(target=a_target(cluster="default")))
    async with a_client(desk, token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=ONE | {"status": "resolved"})
    assert response.json()["incidents"] == [{"id": "incident:default:shop:deployment:web", "created": False}]
    assert [alert.status for alert in desk.alerts] == [AlertStatus.RESOLVED]


async def test_alerts_of_one_payload_reach_each_target_once_and_in_order() -> None:
    desk = DeskInMemory()
    payload = [an_alert_of("web", name="A"), an_alert_of("cart"), an_alert_of("web", name="B")]
    async with a_client(desk, token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=payload)
    assert [i["id"].rsplit(":")[-1] for i in response.json()["incidents"]] == ["web", "cart"]
    by_target = {target.name: [alert.name for alert in alerts] for target, alerts in desk.submitted}
    assert by_target == {"web": ["A", "B"], "cart": ["QueueStuck"]}


async def test_many_targets_are_handed_over_side_by_side_within_a_bound() -> None:
    desk = DeskInMemory()
    async with a_client(desk, token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=[an_alert_of(f"web{n}") for n in range(100)])
    assert len(response.json()["incidents"]) == 100
    assert 1 < desk.most_in_flight <= 16


async def test_alerts_beyond_what_one_signal_can_carry_all_arrive() -> None:
    desk = DeskInMemory()
    payload = [an_alert_of("web", fingerprint=str(n)) for n in range(1_201)]
    async with a_client(desk, token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=payload)
    assert response.json()["incidents"] == [{"id": "incident:default:shop:deployment:web", "created": True}]
    assert [len(alerts) for _, alerts in desk.submitted] == [500, 500, 201]
    assert [alert.fingerprint for alert in desk.alerts] == [str(n) for n in range(1_201)]


async def test_sender_is_told_to_come_again_while_temporal_is_away() -> None:
    desk = DeskInMemory()
    desk.failing = TemporalUnavailableError("Temporal does not answer.", retry_after=timedelta(seconds=7))
    async with a_client(desk, token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=ONE)
    assert (response.status_code, response.headers["retry-after"]) == (503, "7")
    assert response.json()["error"] == {"type": "temporal_unavailable", "message": "Temporal does not answer."}


async def test_a_payload_with_good_and_bad_alerts_is_taken_without_the_bad_ones() -> None:
    desk, metrics = DeskInMemory(), ApiMetrics()
    payload = [an_alert_of("web"), {"name": "NoStatus"}, 7, an_alert_of("cart")]
    async with a_client(desk, token=API_TOKEN, app=an_app(desk, metrics=metrics)) as client:
        response = await client.post("/v1/alerts/generic", json=payload)
        shown = (await client.get("/metrics")).text
    assert response.status_code == 202
    assert [i["id"].rsplit(":")[-1] for i in response.json()["incidents"]] == ["web", "cart"]
    assert response.json()["refused"] == [
        {"alert": "NoStatus (alert 1)", "why": "status: Field required"},
        {"alert": "alert 2", "why": "alert: Input should be an object"},
    ]
    assert response.json()["refused_count"] == 2
    assert 'opsmend_alerts_refused_total{source="generic"} 2.0' in shown
    assert 'opsmend_alerts_received_total{source="generic",status="firing"} 2.0' in shown


async def test_an_alert_of_a_group_that_is_none_keeps_no_other_from_being_taken() -> None:
    desk = DeskInMemory()
    good = {"status": "firing", "labels": {"namespace": "shop", "deployment": "web"}, "startsAt": "2026-03-14T14:55:00Z"}
    bad = good | {"startsAt": "yesterday", "labels": {"alertname": "Bad"}}
    group = {"version": "4", "groupKey": "g", "alerts": [bad, good]}
    async with a_client(desk, token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/alertmanager", json=group)
    assert response.status_code == 202
    assert len(response.json()["incidents"]) == 1
    assert response.json()["refused"][0]["alert"] == "Bad (alert 0)"


async def test_the_names_of_refused_alerts_show_no_secret_and_are_not_endless() -> None:
    bad = [{"name": "password=hunter2hunter2" + "x" * 1_000} for _ in range(300)]
    async with a_client(DeskInMemory(), token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=[ONE, *bad])
    assert "hunter2" not in response.text
    assert (len(response.json()["refused"]), response.json()["refused_count"]) == (100, 300)


async def test_alerts_that_temporal_will_never_take_are_told_beside_those_that_it_took() -> None:
    desk, metrics = DeskInMemory(), ApiMetrics()
    desk.failing_for["incident:default:shop:deployment:cart"] = AlertsRejectedError("WorkflowId exceeds length limit.")
    async with a_client(desk, token=API_TOKEN, app=an_app(desk, metrics=metrics)) as client:
        response = await client.post("/v1/alerts/generic", json=[an_alert_of("cart"), an_alert_of("web")])
        shown = (await client.get("/metrics")).text
    assert response.status_code == 202
    assert [i["id"].rsplit(":")[-1] for i in response.json()["incidents"]] == ["web"]
    assert response.json()["refused"] == [{"alert": "QueueStuck", "why": "WorkflowId exceeds length limit."}]
    assert 'opsmend_alerts_received_total{source="generic",status="firing"} 1.0' in shown


async def test_a_payload_that_temporal_will_never_take_is_not_sent_for_ever() -> None:
    desk = DeskInMemory()
    desk.failing_for["incident:default:shop:deployment:web"] = AlertsRejectedError("Too long.")
    async with a_client(desk, token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=ONE)
    assert response.status_code == 422
    assert "Too long." in response.json()["error"]["message"]


async def test_what_may_be_taken_later_fails_the_payload_whatever_else_is_refused_for_good() -> None:
    desk = DeskInMemory()
    desk.failing_for["incident:default:shop:deployment:web"] = AlertsRejectedError("Too long.")
    desk.failing_for["incident:default:shop:deployment:cart"] = TemporalUnavailableError("Not now.")
    async with a_client(desk, token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=[an_alert_of("web"), an_alert_of("cart")])
    assert response.status_code == 503


async def test_what_masking_makes_longer_is_handed_over_in_parts() -> None:
    desk = DeskInMemory()
    secrets = {f"token{n}": "abcdefgh" for n in range(64)}
    payload = [an_alert_of("web", fingerprint=str(n), annotations=secrets) for n in range(495)]
    async with a_client(desk, token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=payload)
    assert response.status_code == 202
    assert len(desk.alerts) == 495
    sizes = [len(AlertsReceived(alerts=alerts).model_dump_json()) for _, alerts in desk.submitted]
    assert len(sizes) > 1
    assert max(sizes) < 1.1 * 1024 * 1024


async def test_alerts_that_the_sender_left_out_are_told_to_each_incident() -> None:
    desk = DeskInMemory()
    body = (RECORDED / "alertmanager/truncated_group.json").read_bytes()
    async with a_client(desk, token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/alertmanager", content=body, headers=JSON)
    assert {incident["id"] for incident in response.json()["incidents"]} == desk.left_out.keys()
    assert set(desk.left_out.values()) == {37}


@pytest.mark.parametrize("recording", ["heartbeat_watchdog", "helper_with_labels_of_a_healthy_workload"])
async def test_a_heartbeat_is_acknowledged_and_opens_nothing(recording: str) -> None:
    desk, metrics = DeskInMemory(), ApiMetrics()
    body = (RECORDED / f"alertmanager/{recording}.json").read_bytes()
    async with a_client(desk, token=API_TOKEN, app=an_app(desk, metrics=metrics)) as client:
        response = await client.post("/v1/alerts/alertmanager", content=body, headers=JSON)
        shown = (await client.get("/metrics")).text
    assert (response.status_code, response.json()) == (202, {"incidents": []})
    assert desk.submitted == []
    assert 'opsmend_heartbeats_received_total{source="alertmanager"} 1.0' in shown


@pytest.mark.parametrize(
    ("alert", "opens"),
    [
        pytest.param({"name": "Watchdog", "severity": "critical"}, False, id="by its name"),
        pytest.param({"severity": "None"}, False, id="by its severity"),
        pytest.param({"labels": {"severity": "none"}}, False, id="by its label"),
        pytest.param({"severity": "info"}, True, id="info is no heartbeat"),
        pytest.param({"name": "WatchdogIsSilent"}, True, id="a name that only begins so"),
    ],
)
async def test_heartbeats_are_told_by_name_or_severity(alert: dict[str, Any], opens: bool) -> None:
    desk = DeskInMemory()
    async with a_client(desk, token=API_TOKEN) as client:
        await client.post("/v1/alerts/generic", json=ONE | alert)
    assert bool(desk.submitted) is opens


async def test_what_counts_as_a_heartbeat_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMEND_INTAKE__HEARTBEATS", "Pulse, QueueStuck")
    monkeypatch.setenv("OPSMEND_INTAKE__HEARTBEAT_SEVERITIES", "-")
    desk = DeskInMemory()
    async with a_client(desk, token=API_TOKEN, app=an_app(desk)) as client:
        await client.post("/v1/alerts/generic", json=[ONE, ONE | {"name": "Watchdog", "severity": "none"}])
    assert [alert.name for alert in desk.alerts] == ["Watchdog"]


async def test_one_target_that_is_not_held_fails_the_whole_payload() -> None:
    desk = DeskInMemory()
    desk.failing_for["incident:default:shop:deployment:cart"] = TemporalUnavailableError("Not stored.")
    async with a_client(desk, token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=[an_alert_of("web"), an_alert_of("cart")])
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(None, id="none"),
        pytest.param("wrong", id="another"),
        pytest.param(OPERATOR_TOKEN, id="the operator's"),
        pytest.param(API_TOKEN + "x", id="a longer one"),
    ],
)
async def test_alerts_without_the_api_token_are_refused_before_they_are_read(token: str | None) -> None:
    desk = DeskInMemory()
    async with a_client(desk, token=token) as client:
        response = await client.post("/v1/alerts/generic", content=b"not even json", headers=JSON)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["error"]["message"].endswith(".")
    assert desk.submitted == []


async def test_unknown_source_is_answered_with_the_known_ones() -> None:
    async with a_client(DeskInMemory(), token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/nagios", json=ONE)
    assert response.status_code == 404
    assert "alertmanager, datadog, generic, grafana" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Content-Type": "application/x-www-form-urlencoded"}, id="form"),
        pytest.param({"Content-Type": ""}, id="undeclared"),
        pytest.param({"Content-Type": "application/json", "Content-Encoding": "gzip"}, id="compressed"),
    ],
)
async def test_what_is_not_plain_json_is_refused_as_such(headers: dict[str, str]) -> None:
    async with a_client(DeskInMemory(), token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", content=json.dumps(ONE), headers=headers)
    assert response.status_code == 415


async def test_json_with_a_charset_is_taken() -> None:
    async with a_client(DeskInMemory(), token=API_TOKEN) as client:
        headers = {"Content-Type": "application/json; charset=utf-8"}
        response = await client.post("/v1/alerts/generic", content=json.dumps(ONE), headers=headers)
    assert response.status_code == 202


async def test_long_body_is_refused_by_its_declared_length() -> None:
    async with a_client(DeskInMemory(), token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", content=b" " * (BODY_LIMIT + 1), headers=JSON)
    assert response.status_code == 413


async def test_nonsense_for_a_length_is_refused() -> None:
    async with a_client(DeskInMemory(), token=API_TOKEN) as client:
        headers = [(b"Content-Type", b"application/json"), (b"Content-Length", b"\xb2")]
        response = await client.post("/v1/alerts/generic", content=json.dumps(ONE), headers=headers)
    assert response.status_code == 413


async def test_long_body_without_a_declared_length_is_refused_before_it_has_all_arrived() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b" " * 100_000

    async with a_client(DeskInMemory(), token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", content=endless(), headers=JSON)
    assert response.status_code == 413
    assert sent < 20


@pytest.mark.parametrize(
    ("body", "named"),
    [
        pytest.param({"status": "firing"}, "name: Field required", id="missing field"),
        pytest.param(ONE | {"status": "on fire"}, "status: Input should be 'firing' or 'resolved'", id="unknown status"),
        pytest.param(ONE | {"start_at": "2026-01-01T00:00:00Z"}, "start_at: Extra inputs", id="misspelt field"),
        pytest.param(
            ONE | {"starts_at": "2026-01-01T00:00:00"}, "starts_at: Input should have timezone", id="time without a zone"
        ),
        pytest.param(ONE | {"labels": {"a": {}}}, "labels.a: Input should be a valid string", id="a label with parts"),
        pytest.param([ONE | {"name": 1}, {}], "0.name: Input should be a valid string", id="every one of a list"),
        pytest.param("text", "body: Input should be an object", id="not an object"),
    ],
)
async def test_bad_payload_is_answered_with_the_field_and_what_was_expected(body: Any, named: str) -> None:
    async with a_client(DeskInMemory(), token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=body)
    assert response.status_code == 422
    assert response.json()["error"]["type"] == "bad_payload"
    assert named in response.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"[" * 100_000, id="deeply nested"),
        pytest.param(b'{"name": "\xff"}', id="not utf-8"),
        pytest.param(b'{"name": "\\ud800", "status": "firing"}', id="half a surrogate pair"),
    ],
)
async def test_broken_json_is_a_bad_payload_and_never_a_server_error(body: bytes) -> None:
    async with a_client(DeskInMemory(), token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", content=body, headers=JSON)
    assert response.status_code == 422
    assert response.json()["error"]["type"] == "bad_payload"


async def test_a_long_list_of_mistakes_is_answered_in_short() -> None:
    async with a_client(DeskInMemory(), token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=[{} for _ in range(500)])
    assert response.json()["error"]["message"].endswith("and 995 more")


async def test_secret_in_a_bad_payload_is_not_sent_back() -> None:
    async with a_client(DeskInMemory(), token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=ONE | {"status": "hunter2"})
    assert response.status_code == 422
    assert "hunter2" not in response.text


async def test_our_own_bug_is_answered_without_its_insides() -> None:
    class BrokenDesk(DeskInMemory):
        def _fail(self) -> None:
            raise RuntimeError("secret inside")

    async with a_client(BrokenDesk(), token=API_TOKEN) as client:
        response = await client.post("/v1/alerts/generic", json=ONE)
        for_many = await client.post("/v1/alerts/generic", json=[an_alert_of("web"), an_alert_of("cart")])
    assert (response.status_code, for_many.status_code) == (500, 500)
    assert response.json()["error"]["type"] == "internal"
    assert "secret inside" not in response.text + for_many.text


async def test_intake_is_counted() -> None:
    metrics = ApiMetrics()
    desk = DeskInMemory()
    async with a_client(desk, token=API_TOKEN, app=an_app(desk, metrics=metrics)) as client:
        await client.post("/v1/alerts/generic", json=[an_alert_of("web"), an_alert_of("web", status="resolved")])
        await client.post("/v1/alerts/generic", json=ONE)
        await client.post("/v1/alerts/generic", json={})
        shown = (await client.get("/metrics")).text
    assert 'opsmend_alerts_received_total{source="generic",status="firing"} 2.0' in shown
    assert 'opsmend_alerts_received_total{source="generic",status="resolved"} 1.0' in shown
    assert 'opsmend_incident_intake_total{result="created"} 1.0' in shown
    assert 'opsmend_incident_intake_total{result="joined"} 1.0' in shown
    assert 'opsmend_webhook_seconds_count{source="generic"} 3.0' in shown
    assert 'opsmend_api_errors_total{type="bad_payload"} 1.0' in shown
