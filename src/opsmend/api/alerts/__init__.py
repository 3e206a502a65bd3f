"""From a monitoring system's payload to our alerts. A source is one file and one line in SOURCES; sends nothing anywhere."""

from typing import Final

from opsmend.api.alerts.alertmanager import AlertmanagerPayload, read_alertmanager
from opsmend.api.alerts.datadog import DatadogPayload, read_datadog
from opsmend.api.alerts.generic import GenericAlert, GenericAlerts, read_generic
from opsmend.api.alerts.grafana import GrafanaPayload, read_grafana
from opsmend.api.alerts.intake import Source

SOURCES: Final[dict[str, Source]] = {
    "alertmanager": Source(read_alertmanager, AlertmanagerPayload),
    "datadog": Source(read_datadog, DatadogPayload),
    "generic": Source(read_generic, GenericAlert | GenericAlerts),
    "grafana": Source(read_grafana, GrafanaPayload),
}
"""What may stand in `POST /v1/alerts/{source}`."""
