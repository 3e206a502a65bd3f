"""Prometheus Alertmanager, webhook payload version 4 (0.25 and later).

Grafana's payload, which is version 1 of nearly the same, is taken here as well: its contact points are often set up from an
example for Alertmanager.
"""

from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter

from opsmend.api.alerts.each import MOST_ALERTS, whole_or_each
from opsmend.api.alerts.grafana import read_grafana
from opsmend.api.alerts.group import Group, GroupAlert, alert_of
from opsmend.api.alerts.intake import Parsed


class AlertmanagerPayload(Group):
    version: Annotated[Literal["4", "1"], Field(description="'1' is Grafana's.")]
    alerts: list[GroupAlert] = Field(min_length=1, max_length=MOST_ALERTS)


_PAYLOAD: Final = TypeAdapter(AlertmanagerPayload)


def read_alertmanager(body: bytes, cluster: str) -> Parsed:
    payload, refused = whole_or_each(body, _PAYLOAD, "alerts")
    if payload.version == "1":
        return read_grafana(body, cluster)
    group = payload.groupKey
    alerts = tuple(
        alert_of(alert, source="alertmanager", group=group, cluster=cluster, told=alert.annotations) for alert in payload.alerts
    )
    return Parsed(alerts, payload.truncatedAlerts, refused)
