"""Grafana's unified alerting, the webhook of a contact point, payload version 1 (Grafana 9 and later).

https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
Its legacy alerting (up to Grafana 10), which had a payload of its own, is not taken.
"""

from collections.abc import Iterator
from typing import Any, Final, Literal

from pydantic import Field, TypeAdapter

from opsmend.api.alerts.each import MOST_ALERTS, whole_or_each
from opsmend.api.alerts.group import Group, GroupAlert, alert_of
from opsmend.api.alerts.intake import Parsed, Scalars


class GrafanaAlert(GroupAlert):
    labels: Scalars
    annotations: Scalars = Field(default_factory=dict)
    silenceURL: str = ""
    dashboardURL: str = ""
    panelURL: str = ""
    values: dict[str, Any] | None = None
    valueString: str = ""


class GrafanaPayload(Group):
    version: Literal["1"]
    orgId: int = Field(default=0, strict=True)
    title: str = ""
    state: str = ""
    message: str = ""
    alerts: list[GrafanaAlert] = Field(min_length=1, max_length=MOST_ALERTS)


_PAYLOAD: Final = TypeAdapter(GrafanaPayload)


def read_grafana(body: bytes, cluster: str) -> Parsed:
    payload, refused = whole_or_each(body, _PAYLOAD, "alerts")
    group = f"{payload.orgId}/{payload.groupKey}"
    alerts = tuple(
        alert_of(alert, source="grafana", group=group, cluster=cluster, told=dict(_told(alert))) for alert in payload.alerts
    )
    return Parsed(alerts, payload.truncatedAlerts, refused)


def _told(alert: GrafanaAlert) -> Iterator[tuple[str, str]]:
    """Its annotations but for those by which Grafana finds its own panels (`__dashboardUid__`), the values that the rule
    compared, and where people see the curve."""
    yield from ((key, value) for key, value in alert.annotations.items() if not key.startswith("__"))
    if alert.valueString:
        yield "values", alert.valueString
    if seen_at := alert.panelURL or alert.dashboardURL:
        yield "dashboard", seen_at
