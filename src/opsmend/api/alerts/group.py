"""A group of alerts as Alertmanager posts it, and Grafana, whose alerting has Alertmanager inside.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
Unknown fields are ignored: both add some from release to release.
"""

from collections.abc import Mapping

from pydantic import BaseModel, Field

from opsmend.api.alerts.intake import Moment, fingerprint, kept_texts, known, shown_name, url_or_none
from opsmend.api.alerts.severity import severity_of
from opsmend.api.alerts.target import target_of
from opsmend.domain.alert import Alert, AlertStatus


class GroupAlert(BaseModel):
    """One alert of a group. Both systems write every label and annotation as a string."""

    status: AlertStatus
    labels: dict[str, str]
    annotations: dict[str, str] = Field(default_factory=dict)
    startsAt: Moment
    endsAt: Moment | None = None
    generatorURL: str = ""
    fingerprint: str = ""


class Group(BaseModel):
    """What both say of the group as a whole."""

    groupKey: str
    truncatedAlerts: int = Field(default=0, ge=0, strict=True)


def alert_of(given: GroupAlert, *, source: str, group: str, cluster: str, told: Mapping[str, str]) -> Alert:
    """`told` are the annotations to keep, `group` is what alerts without a target of their own are told apart by."""
    texts = kept_texts(given.labels, told)
    return Alert(
        source=source,
        name=shown_name(given.labels.get("alertname", "unnamed")),
        status=given.status,
        severity=severity_of(given.labels.get("severity", "")),
        fingerprint=fingerprint(given.fingerprint, given.labels),
        starts_at=known(given.startsAt),
        ends_at=known(given.endsAt) if given.status is AlertStatus.RESOLVED else None,
        target=target_of(given.labels, default_cluster=cluster, group_key=group),
        labels=texts.labels,
        annotations=texts.annotations,
        expression_url=url_or_none(given.generatorURL),
    )
