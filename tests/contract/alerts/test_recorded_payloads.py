"""Recorded payloads of each monitoring system, read as alerts. A new source adds its folder and its rows."""

import json
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Final

import pytest
from pydantic import ValidationError

from opsmend.api import alerts
from opsmend.api.alerts import SOURCES
from opsmend.api.alerts.intake import Parsed
from opsmend.domain.alert import Alert, AlertStatus, Severity
from opsmend.domain.target import Kind

HERE: Final = Path(__file__).parent
TEMPLATE: Final = HERE.parents[2] / "deploy/datadog/webhook-payload.json"


def read(recording: str, **changes: object) -> Parsed:
    source = recording.partition("/")[0]
    body = json.loads((HERE / f"{recording}.json").read_bytes())
    if changes:
        body |= changes
    return SOURCES[source](json.dumps(body).encode(), "default")


def only(recording: str, **changes: object) -> Alert:
    (alert,) = read(recording, **changes).alerts
    return alert


def test_every_reader_of_payloads_is_listed_as_a_source() -> None:
    written = [import_module(f"{alerts.__name__}.{module.name}") for module in iter_modules(alerts.__path__)]
    readers = {
        member
        for module in written
        for name, member in vars(module).items()
        if name.startswith("read_") and getattr(member, "__module__", "") == module.__name__
    }
    assert readers == {source.read for source in SOURCES.values()}
    assert {path.name for path in HERE.iterdir() if path.is_dir() and not path.name.startswith("_")} == set(SOURCES)


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_has_recorded_payloads_and_all_of_them_are_read(source: str) -> None:
    recordings = sorted(path.stem for path in (HERE / source).glob("*.json"))
    assert recordings
    for name in recordings:
        assert all(alert.source == source for alert in read(f"{source}/{name}").alerts)


@pytest.mark.parametrize(
    ("recording", "incident_ids"),
    [
        pytest.param("alertmanager/crash_looping_pod", ["incident:prod-eu:shop:deployment:web"], id="pod"),
        pytest.param("alertmanager/resolved", ["incident:prod-eu:shop:deployment:web"], id="its recovery"),
        pytest.param("alertmanager/node_not_ready", ["incident:default::node:worker-2"], id="node"),
        pytest.param("alertmanager/exported_labels", ["incident:default:db:statefulset:postgres"], id="labels not honoured"),
        pytest.param(
            "alertmanager/several_targets_one_group",
            ["incident:prod-eu:shop:deployment:web"] * 3 + ["incident:prod-eu:shop:deployment:cart"],
            id="one group, two targets",
        ),
        pytest.param("datadog/triggered", ["incident:prod-eu:shop:deployment:web"], id="datadog joins alertmanager's"),
        pytest.param("datadog/recovered", ["incident:prod-eu:shop:deployment:web"], id="datadog recovery"),
        pytest.param("datadog/no_data_of_a_node", ["incident:default::node:worker-2"], id="datadog node"),
        pytest.param(
            "generic/list", ["incident:default:shop:deployment:worker", "incident:default:db:cronjob:backup"], id="list"
        ),
        pytest.param("generic/scalars", ["incident:default:shop:deployment:web"], id="labels that are no strings"),
        pytest.param("grafana/firing", ["incident:default:shop:deployment:checkout"], id="grafana"),
    ],
)
def test_alerts_reach_the_incident_of_their_target(recording: str, incident_ids: list[str]) -> None:
    assert [alert.target.incident_id for alert in read(recording).alerts] == incident_ids


def test_alertmanager_alert_keeps_what_it_told() -> None:
    alert = only("alertmanager/crash_looping_pod")
    assert (alert.name, alert.status, alert.severity) == ("KubePodCrashLooping", AlertStatus.FIRING, Severity.WARNING)
    assert alert.fingerprint == "9a1c3f5e7b2d4086"
    assert alert.starts_at == datetime(2026, 3, 14, 15, 0, 12, 345_000, tzinfo=UTC)
    assert alert.ends_at is None  # year 1 means 'still firing'
    assert alert.target.pod == "web-6d4cf8b7d9-x7k2p"
    assert alert.summary == "Pod is crash looping."
    assert alert.expression_url is not None
    assert "g0.expr" in alert.expression_url


def test_alertmanager_recovery_is_the_same_firing_with_an_end() -> None:
    fired, resolved = only("alertmanager/crash_looping_pod"), only("alertmanager/resolved")
    assert resolved.status is AlertStatus.RESOLVED
    assert resolved.firing == fired.firing
    assert resolved.ends_at == datetime(2026, 3, 14, 15, 21, 42, 345_000, tzinfo=UTC)


def test_alertmanager_alert_without_a_target_belongs_to_its_group() -> None:
    watchdog = only("alertmanager/watchdog_without_target")
    assert watchdog.target.kind is Kind.GROUP
    assert watchdog.target == only("alertmanager/watchdog_without_target").target
    assert watchdog.target != only("alertmanager/watchdog_without_target", groupKey="another").target
    assert watchdog.severity is Severity.INFO


def test_alerts_that_alertmanager_left_out_are_counted() -> None:
    assert read("alertmanager/truncated").truncated == 37


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"version": "3"}, "version", id="another version"),
        pytest.param({"version": 4}, "version", id="a version that is no text"),
        pytest.param({"alerts": []}, "alerts", id="no alerts"),
        pytest.param({"alerts": [{"status": "firing", "labels": {}}]}, "startsAt", id="no start"),
        pytest.param({"groupKey": None}, "groupKey", id="no group"),
    ],
)
def test_what_is_no_alertmanager_payload_is_refused_by_field(changes: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read("alertmanager/crash_looping_pod", **changes)
    assert field in refused.value.errors()[0]["loc"]


def test_hostile_lengths_are_cut_and_never_fail() -> None:
    labels = {"alertname": "A" * 5_000, "namespace": "shop", "deployment": "web", "x" * 5_000: "y" * 100_000}
    hostile = {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": "s" * 100_000},
        "startsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://p/" + "q" * 10_000,
        "fingerprint": "f" * 10_000,
    }
    alert = only("alertmanager/crash_looping_pod", alerts=[hostile])
    assert len(alert.name) == 256
    assert len(alert.fingerprint) == 16
    assert alert.starts_at is None
    assert alert.expression_url is None  # a cut link would name another expression
    assert len(alert.model_dump_json()) < 8_000


def test_grafana_alert_keeps_what_it_told() -> None:
    alert = only("grafana/firing")
    assert (alert.source, alert.name, alert.summary) == ("grafana", "Replica shortage", "Too few replicas")
    assert alert.starts_at == datetime(2026, 11, 30, 5, 41, 20, tzinfo=UTC)
    assert alert.annotations["values"] == "[ var='B' labels={deployment=checkout, namespace=shop} value=1 ]"
    assert alert.annotations["dashboard"] == "https://grafana.acme.internal/d/q7f2?orgId=1&viewPanel=4"
    assert not [key for key in alert.annotations if key.startswith("__")]


def test_grafana_recovery_is_the_same_firing() -> None:
    fired, resolved = only("grafana/firing"), only("grafana/resolved")
    assert resolved.status is AlertStatus.RESOLVED
    assert resolved.firing == fired.firing


def test_grafana_without_data_is_an_alert_of_its_group() -> None:
    alert = only("grafana/no_data")
    assert (alert.status, alert.target.kind) == (AlertStatus.FIRING, Kind.GROUP)


@pytest.mark.parametrize("recording", ["firing", "resolved", "no_data"])
def test_grafanas_payload_is_the_same_on_the_route_of_alertmanager(recording: str) -> None:
    body = (HERE / f"grafana/{recording}.json").read_bytes()
    assert SOURCES["alertmanager"](body, "default") == SOURCES["grafana"](body, "default")


def test_grafanas_organisations_are_told_apart() -> None:
    assert only("grafana/no_data").target != only("grafana/no_data", orgId=2).target


def test_datadog_recovery_and_renotification_are_the_same_firing_as_the_trigger() -> None:
    triggered, again, recovered = (only(f"datadog/{name}") for name in ("triggered", "renotify", "recovered"))
    assert triggered.firing == again.firing == recovered.firing
    assert [alert.status for alert in (triggered, again, recovered)] == ["firing", "firing", "resolved"]
    assert {alert.name for alert in (triggered, again, recovered)} == {"Restarts of web"}


def test_datadog_next_outbreak_is_another_firing() -> None:
    assert only("datadog/triggered").firing != only("datadog/triggered", cycle_key="2").firing


@pytest.mark.parametrize("transition", ["Triggered", "Re-Triggered", "Warn", "No Data", "Renotify", "Null", "something new"])
def test_datadog_transition_other_than_recovered_is_no_good_news(transition: str) -> None:
    assert only("datadog/triggered", transition=transition).status is AlertStatus.FIRING


def test_datadog_scope_wins_over_the_monitors_own_tags() -> None:
    alert = only(
        "datadog/triggered", tags="kube_namespace:other,kube_deployment:other", scope="kube_namespace:shop,kube_deployment:web"
    )
    assert str(alert.target) == "Deployment shop/web"


def test_datadog_tag_with_several_values_is_no_target_to_guess() -> None:
    alert = only("datadog/triggered", tags="kube_namespace:shop,kube_deployment:a,kube_deployment:b", scope="")
    assert alert.target.kind is Kind.GROUP
    assert alert.labels["kube_deployment"] == "a,b"


def test_datadog_test_notification_is_taken() -> None:
    assert only("datadog/test_notification").target.kind is Kind.GROUP


def test_datadog_template_has_exactly_the_fields_that_are_read() -> None:
    template = json.loads(TEMPLATE.read_text())
    recorded = json.loads((HERE / "datadog/triggered.json").read_text())
    assert template.keys() == recorded.keys()
    assert all(value.startswith("$") and value.isupper() for value in template.values())
    assert SOURCES["datadog"](TEMPLATE.read_bytes(), "default").alerts[0].fingerprint != "$ALERT_CYCLE_KEY"


def test_generic_alert_without_a_start_stays_one_firing_until_it_resolves() -> None:
    first = only("generic/firing", starts_at=None)
    again = only("generic/firing", starts_at=None)
    assert first.firing == again.firing
    assert first.starts_at is None


@pytest.mark.parametrize(
    ("scalar", "text"),
    [
        pytest.param(3, "3", id="whole number"),
        pytest.param(0.25, "0.25", id="fraction"),
        pytest.param(True, "true", id="yes"),
        pytest.param(False, "false", id="no"),
        pytest.param("as it is", "as it is", id="text"),
        pytest.param(None, None, id="null"),
    ],
)
def test_generic_scalars_become_text_and_null_is_absent(scalar: object, text: str | None) -> None:
    alert = only("generic/firing", labels={"namespace": "shop", "x": scalar}, annotations={"y": scalar})
    assert (alert.labels.get("x"), alert.annotations.get("y")) == (text, text)


def test_generic_fields_that_are_null_count_as_absent() -> None:
    fields = ("severity", "labels", "annotations", "starts_at", "ends_at", "fingerprint", "url")
    alert = only("generic/firing", **dict.fromkeys(fields))
    assert (alert.severity, alert.starts_at, alert.expression_url) == (Severity.WARNING, None, None)


@pytest.mark.parametrize("nested", [{"a": "b"}, ["a"]], ids=["object", "list"])
def test_generic_label_that_has_parts_is_refused_by_its_name(nested: object) -> None:
    with pytest.raises(ValidationError) as refused:
        read("generic/firing", labels={"x": nested})
    assert refused.value.errors()[0]["loc"] == ("labels", "x")


def test_generic_alert_is_identified_by_name_and_labels_or_by_its_own_fingerprint() -> None:
    assert only("generic/firing").fingerprint != only("generic/firing", name="Other").fingerprint
    assert only("generic/firing", fingerprint="mine").fingerprint == "mine"
