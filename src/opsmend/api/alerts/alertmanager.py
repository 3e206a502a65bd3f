"""Prometheus Alertmanager, webhook payload version 4 (0.25 and later).

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
Unknown fields are ignored: Alertmanager adds some from release to release.
"""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from opsmend.api.alerts.intake import (
    Parsed,
    fingerprint,
    kept_texts,
    known_end,
    known_start,
    shown_name,
    url_or_none,
)
from opsmend.api.alerts.severity import severity_of
from opsmend.api.alerts.target import target_of
from opsmend.domain.alert import Alert, AlertStatus


class _Alert(BaseModel):
    status: AlertStatus
    labels: dict[str, str]
    annotations: dict[str, str] = Field(default_factory=dict)
    startsAt: AwareDatetime
    endsAt: AwareDatetime | None = None
    generatorURL: str = ""
    fingerprint: str = ""


class _Payload(BaseModel):
    version: Literal["4"]
    groupKey: str
    truncatedAlerts: int = Field(default=0, ge=0)
    alerts: list[_Alert] = Field(min_length=1)


def read_alertmanager(body: bytes, cluster: str) -> Parsed:
    payload = _Payload.model_validate_json(body)
    alerts = tuple(_normalised(alert, payload.groupKey, cluster) for alert in payload.alerts)
    return Parsed(alerts=alerts, truncated=payload.truncatedAlerts)


def _normalised(alert: _Alert, group_key: str, cluster: str) -> Alert:
    texts = kept_texts(alert.labels, alert.annotations)
    return Alert(
        source="alertmanager",
        name=shown_name(alert.labels.get("alertname", "unnamed")),
        status=alert.status,
        severity=severity_of(alert.labels.get("severity", "")),
        fingerprint=fingerprint(alert.fingerprint, alert.labels),
        starts_at=known_start(alert.startsAt),
        ends_at=known_end(alert.endsAt) if alert.status is AlertStatus.RESOLVED else None,
        target=target_of(alert.labels, default_cluster=cluster, group_key=group_key),
        labels=texts.labels,
        annotations=texts.annotations,
        expression_url=url_or_none(alert.generatorURL),
    )
