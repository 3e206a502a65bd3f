"""From a monitoring system's payload to our alerts. A source is one file and one line in SOURCES; sends nothing anywhere."""

from typing import Final

from opsmend.api.alerts.alertmanager import read_alertmanager
from opsmend.api.alerts.datadog import read_datadog
from opsmend.api.alerts.generic import read_generic
from opsmend.api.alerts.intake import Source

SOURCES: Final[dict[str, Source]] = {
    "alertmanager": read_alertmanager,
    "datadog": read_datadog,
    "generic": read_generic,
}
"""What may stand in `POST /v1/alerts/{source}`."""
