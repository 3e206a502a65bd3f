"""The alert that the recorded Prometheus fired."""

from typing import Any

import pytest
from tests.builders import an_alert

from opsmend.domain.alert import Alert

LABELS = {
    "alertname": "KubePodCrashLooping",
    "container": "app",
    "job": "kube-state-metrics",
    "namespace": "shop",
    "pod": "web-5d4b9c7f5d-x2x9z",
    "reason": "CrashLoopBackOff",
    "severity": "critical",
    # As Alertmanager has it: Prometheus adds its external labels only when it sends.
    "prometheus": "monitoring/main",
}


def the_alert(**changes: Any) -> Alert:
    labels = LABELS | changes.pop("labels", {})
    return an_alert(**({"name": labels["alertname"], "labels": labels} | changes))


@pytest.fixture
def alert() -> Alert:
    return the_alert()
