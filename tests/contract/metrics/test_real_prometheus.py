"""The same promises on a Prometheus process, where one is installed."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.metrics.real_prometheus import Exporter, a_prometheus, eventually, is_ready, needs_prometheus

from opsmend.adapters.prometheus.metrics import PrometheusMetrics
from opsmend.domain.alert import Alert
from opsmend.errors import MetricsUnavailableError

pytestmark = needs_prometheus

RULE: dict[str, Any] = {
    "alert": "KubePodCrashLooping",
    "expr": 'kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"} == 1',
    "labels": {"severity": "critical"},
}


class OnePod(Exporter):
    """kube-state-metrics with one pod, which crashes or not."""

    crashing = True

    def __init__(self) -> None:
        super().__init__(self._crash)

    def _crash(self) -> str:
        labels = 'namespace="shop",pod="web-5d4b9c7f5d-x2x9z",container="app",reason="CrashLoopBackOff"'
        return f"kube_pod_container_status_waiting_reason{{{labels}}} {int(self.crashing)}\n"


@pytest.fixture
def exporter() -> Iterator[OnePod]:
    server = OnePod()
    yield server
    server.stop()


@pytest.fixture
async def metrics(exporter: OnePod, tmp_path: Path) -> AsyncIterator[PrometheusMetrics]:
    with a_prometheus(tmp_path, exporter, RULE) as url:
        await eventually(lambda: is_ready(url))
        opened = PrometheusMetrics(url)
        yield opened
        await opened.close()


async def test_an_alert_fires_recovers_and_is_unknown_without_its_exporter(
    alert: Alert, exporter: OnePod, metrics: PrometheusMetrics
) -> None:
    async def firing() -> bool | None:
        try:
            return (await metrics.condition(alert)).firing
        except MetricsUnavailableError:
            return None

    async def says(expected: bool | None) -> bool:
        return await firing() is expected

    await eventually(lambda: says(True))
    assert (await metrics.evidence(alert))[0].excerpt.startswith("`kube_pod_container_status_waiting_reason")
    exporter.crashing = False
    await eventually(lambda: says(False))
    exporter.crashing = True
    await eventually(lambda: says(True))
    exporter.stop()
    await eventually(lambda: says(None))
    with pytest.raises(MetricsUnavailableError, match="gets no data from job"):
        await metrics.condition(alert)
