"""Alerts carry what people put into them. What is kept holds no secret, has a bound, and identifies as before."""

from typing import Any

import pytest
from tests.desk_in_memory import DeskInMemory
from tests.unit.api.api_client import API_TOKEN, a_client

from opsmend.domain.alert import Alert

SECRET = "hunter2hunter2"
AWS_KEY = "AKIAIOSFODNN7EXAMPLE"
WORKLOAD = {"alertname": "LoginFails", "namespace": "shop", "deployment": "web"}


def alertmanager(labels: dict[str, str], annotations: dict[str, str], url: str = "") -> dict[str, Any]:
    alert = {"status": "firing", "labels": labels, "annotations": annotations, "startsAt": "2026-03-14T14:55:00Z"}
    return {"version": "4", "groupKey": "g", "alerts": [alert | {"generatorURL": url}]}


def generic(labels: dict[str, str], annotations: dict[str, str], url: str = "") -> dict[str, Any]:
    return {"name": labels["alertname"], "status": "firing", "labels": labels, "annotations": annotations, "url": url}


def datadog(labels: dict[str, str], annotations: dict[str, str], url: str = "") -> dict[str, Any]:
    tags = ",".join(f"{key}:{value}" for key, value in labels.items())
    texts = {"message": "; ".join(annotations.values()), "link": url}
    return {"cycle_key": "c", "transition": "Triggered", "title": labels["alertname"], "tags": tags} | texts


SOURCES = pytest.mark.parametrize("payload", [alertmanager, generic, datadog], ids=lambda build: str(build.__name__))


async def posted(source: str, payload: dict[str, Any]) -> Alert:
    desk = DeskInMemory()
    async with a_client(desk, token=API_TOKEN) as client:
        response = await client.post(f"/v1/alerts/{source}", json=payload)
    assert response.status_code == 202, response.text
    (alert,) = desk.alerts
    return alert


@SOURCES
async def test_secrets_are_masked_before_temporal_holds_the_alert(payload: Any) -> None:
    labels = WORKLOAD | {"api_token": SECRET, "owner": AWS_KEY}
    annotations = {"description": f"login with password={SECRET} fails"}
    alert = await posted(payload.__name__, payload(labels, annotations, f"http://admin:{SECRET}@prometheus/graph"))
    kept = alert.model_dump_json()
    assert SECRET not in kept
    assert AWS_KEY not in kept
    assert "login with password=[redacted:password] fails" in kept
    assert alert.expression_url is None


@SOURCES
async def test_masking_changes_neither_target_nor_firing(payload: Any) -> None:
    first, second = ([WORKLOAD | {"api_token": f"{SECRET}{n}"}, {}] for n in (1, 2))
    alert, resend = [await posted(payload.__name__, payload(*first)) for _ in range(2)]
    other = await posted(payload.__name__, payload(*second))
    assert alert.target.incident_id == "incident:default:shop:deployment:web"
    assert alert.firing == resend.firing
    if payload is not datadog:  # which names the firing itself
        assert alert.firing != other.firing


async def test_a_label_that_was_masked_is_told_and_no_longer_compared() -> None:
    alert = await posted("alertmanager", alertmanager(WORKLOAD | {"api_token": SECRET, "x": "y" * 5_000}, {}))
    assert alert.labels == WORKLOAD
    assert alert.annotations["label api_token"] == "[redacted:token]"
    assert alert.annotations["label x"].startswith("yyy")


async def test_plain_texts_are_kept_as_they_came() -> None:
    labels = WORKLOAD | {
        "pod": "web-5d4b9c7f5d-x2x9z",
        "uid": "b6bc0cea-1e5c-4f33-8f2e-cc168d6081e3",
        "job": "kube-state-metrics",
    }
    annotations = {"runbook_url": "https://runbooks.prometheus-operator.dev/runbooks/kubernetes/kubepodcrashlooping"}
    url = "http://prometheus:9090/graph?g0.expr=max_over_time%28kube_pod_status_reason%5B5m%5D%29+%3E%3D+1&g0.tab=1"
    alert = await posted("alertmanager", alertmanager(labels, annotations, url))
    assert (alert.labels, alert.annotations, alert.expression_url) == (labels, annotations, url)


async def test_what_is_kept_of_one_alert_has_a_bound() -> None:
    labels = WORKLOAD | {f"l{n}": "v" * 2_000 for n in range(80)}
    annotations = {f"a{n}": "v" * 9_000 for n in range(80)}
    alert = await posted("generic", generic(labels, annotations))
    assert len(alert.labels) <= 64
    assert len(alert.annotations) <= 128
    assert max(map(len, alert.annotations.values())) < 4_200
    assert len(alert.model_dump_json()) < 64 * (4_200 + 1_100)


async def test_a_secret_across_the_cut_is_masked_whole() -> None:
    alert = await posted("generic", generic(WORKLOAD, {"description": "x " * 2_040 + f"password={SECRET} and so on"}))
    assert SECRET[:4] not in alert.annotations["description"]
