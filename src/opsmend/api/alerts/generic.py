"""Anything that can post JSON: one alert, or a list of them.

    {"name": "…", "status": "firing" | "resolved", "severity": "critical", "labels": {…}, "annotations": {…},
     "starts_at": "2026-01-31T12:00:00Z", "ends_at": …, "fingerprint": "…", "url": "…"}

Only `name` and `status` are required. The same fingerprint (by default: name and labels) with the same `starts_at` is the same
firing. A sender that leaves `starts_at` out therefore says 'the same firing' until it sends `resolved`.
The format is ours, so an unknown field is an error: a misspelt `starts_at` must not pass in silence.
"""

from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from opsmend.api.alerts.intake import (
    FINGERPRINT_LIMIT,
    NAME_LIMIT,
    URL_LIMIT,
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
from opsmend.domain.record import digest


class _Alert(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=NAME_LIMIT)
    status: AlertStatus
    severity: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    fingerprint: str = Field(default="", max_length=FINGERPRINT_LIMIT)
    url: str = Field(default="", max_length=URL_LIMIT)


_MANY: Final = TypeAdapter(list[_Alert])


def read_generic(body: bytes, cluster: str) -> Parsed:
    # Told apart by the first character: a union would answer a mistake with the complaints of both shapes.
    many = body.lstrip()[:1] == b"["
    alerts = _MANY.validate_json(body) if many else [_Alert.model_validate_json(body)]
    return Parsed(alerts=tuple(_normalised(alert, cluster) for alert in alerts))


def _normalised(alert: _Alert, cluster: str) -> Alert:
    identity = {**alert.labels, "alertname": alert.name}
    mark = fingerprint(alert.fingerprint, identity)
    texts = kept_texts(alert.labels, alert.annotations)
    return Alert(
        source="generic",
        name=shown_name(alert.name),
        status=alert.status,
        severity=severity_of(alert.severity or alert.labels.get("severity", "")),
        fingerprint=mark,
        starts_at=known_start(alert.starts_at),
        ends_at=known_end(alert.ends_at) if alert.status is AlertStatus.RESOLVED else None,
        target=target_of(alert.labels, default_cluster=cluster, group_key=digest(["generic", mark])),
        labels=texts.labels,
        annotations=texts.annotations,
        expression_url=url_or_none(alert.url),
    )
