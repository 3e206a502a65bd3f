"""Anything that can post JSON: one alert, or a list of them.

    {"name": "…", "status": "firing" | "resolved", "severity": "critical", "labels": {…}, "annotations": {…},
     "starts_at": "2026-01-31T12:00:00Z", "ends_at": …, "fingerprint": "…", "url": "…"}

Only `name` and `status` are required; null counts as absent. Numbers and booleans in labels and annotations become text.
The same fingerprint (by default: name and labels) with the same `starts_at` is the same firing. A sender that leaves out
`starts_at` therefore says 'the same firing' until it sends `resolved`.
The format is ours, so an unknown field is an error: a misspelt `starts_at` must not pass in silence.
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from opsmend.api.alerts.each import MOST_ALERTS, whole_or_each
from opsmend.api.alerts.intake import (
    FINGERPRINT_LIMIT,
    NAME_LIMIT,
    URL_LIMIT,
    Moment,
    Parsed,
    Scalars,
    fingerprint,
    kept_texts,
    known,
    shown_name,
    url_or_none,
)
from opsmend.api.alerts.severity import severity_of
from opsmend.api.alerts.target import target_of
from opsmend.domain.alert import Alert, AlertStatus
from opsmend.domain.record import digest


class GenericAlert(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=NAME_LIMIT)
    status: AlertStatus
    severity: str | None = None
    labels: Scalars | None = None
    annotations: Scalars | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    fingerprint: str | None = Field(default=None, max_length=FINGERPRINT_LIMIT)
    url: str | None = Field(default=None, max_length=URL_LIMIT)


GenericAlerts = Annotated[list[GenericAlert], Field(max_length=MOST_ALERTS)]

_ONE: Final = TypeAdapter(GenericAlert)
_MANY: Final[TypeAdapter[list[GenericAlert]]] = TypeAdapter(GenericAlerts)


def read_generic(body: bytes, cluster: str) -> Parsed:
    # Told apart by the first character: a union would answer a mistake with the complaints of both shapes.
    if body.lstrip()[:1] != b"[":
        return Parsed((_normalised(_ONE.validate_json(body), cluster),))
    alerts, refused = whole_or_each(body, _MANY)
    return Parsed(tuple(_normalised(alert, cluster) for alert in alerts), refused=refused)


def _normalised(alert: GenericAlert, cluster: str) -> Alert:
    labels = alert.labels or {}
    mark = fingerprint(alert.fingerprint or "", labels | {"alertname": alert.name})
    severity = alert.severity or labels.get("severity", "")
    texts = kept_texts(labels | ({"severity": severity} if severity else {}), alert.annotations or {})
    return Alert(
        source="generic",
        name=shown_name(alert.name),
        status=alert.status,
        severity=severity_of(severity),
        fingerprint=mark,
        starts_at=known(alert.starts_at),
        ends_at=known(alert.ends_at) if alert.status is AlertStatus.RESOLVED else None,
        target=target_of(labels, default_cluster=cluster, group_key=digest(["generic", mark])),
        labels=texts.labels,
        annotations=texts.annotations,
        expression_url=url_or_none(alert.url or ""),
    )
