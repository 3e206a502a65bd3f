"""A Prometheus that cannot be asked is an error of its own, never good news."""

import json
from collections.abc import Callable

import httpx
import pytest

from opsmend.adapters.prometheus.api import ANSWER_LIMIT
from opsmend.adapters.prometheus.metrics import PrometheusMetrics
from opsmend.domain.alert import Alert
from opsmend.errors import MetricsUnavailableError

Handler = Callable[[httpx.Request], httpx.Response]


def _raises(error: type[httpx.TransportError]) -> Handler:
    def handle(request: httpx.Request) -> httpx.Response:
        raise error("no", request=request)

    return handle


ANSWERS: dict[str, tuple[Handler, str]] = {
    "refused": (_raises(httpx.ConnectError), "ConnectError"),
    "too slow": (_raises(httpx.ReadTimeout), "ReadTimeout"),
    "broken off": (_raises(httpx.RemoteProtocolError), "RemoteProtocolError"),
    "overloaded": (lambda _: httpx.Response(503), "HTTP 503"),
    "slow down": (lambda _: httpx.Response(429), "HTTP 429"),
    "credentials": (lambda _: httpx.Response(401), "HTTP 401"),
    "redirect to a login": (lambda _: httpx.Response(302, headers={"Location": "http://login"}), "HTTP 302"),
    "login page": (lambda _: httpx.Response(200, text="<html>"), "not that of a Prometheus API"),
    "other JSON": (lambda _: httpx.Response(200, json={"status": "success", "data": []}), "not that of a Prometheus API"),
    "endless": (lambda _: httpx.Response(200, content=b" " * (ANSWER_LIMIT + 1)), "longer than"),
}


@pytest.mark.parametrize(("handler", "says"), ANSWERS.values(), ids=ANSWERS.keys())
async def test_what_is_no_answer_is_unavailable(alert: Alert, handler: Handler, says: str) -> None:
    metrics = PrometheusMetrics("http://prometheus", transport=httpx.MockTransport(handler))
    with pytest.raises(MetricsUnavailableError, match=says):
        await metrics.condition(alert)
    with pytest.raises(MetricsUnavailableError, match=says):
        await metrics.evidence(alert)


async def test_nobody_at_the_address_is_unavailable_and_tells_no_password(alert: Alert) -> None:
    metrics = PrometheusMetrics("http://user:hunter2@127.0.0.1:1")
    with pytest.raises(MetricsUnavailableError) as caught:
        await metrics.condition(alert)
    assert "hunter2" not in str(caught.value)
    await metrics.close()


async def test_series_that_are_none_are_unavailable(alert: Alert) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        data = {
            "/api/v1/alerts": {"alerts": []},
            "/api/v1/rules": {"groups": [{"interval": 1, "rules": [{"name": alert.name, "query": "x", "health": "ok"}]}]},
            "/api/v1/query": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "much"]}]},
        }[request.url.path]
        rules = json.loads(
            json.dumps(data).replace('"health": "ok"', '"health": "ok", "lastEvaluation": "2026-01-01T00:00:00Z"')
        )
        return httpx.Response(200, json={"data": rules}, headers={"Date": "Thu, 01 Jan 2026 00:00:00 GMT"})

    with pytest.raises(MetricsUnavailableError, match="not what the API promises"):
        await PrometheusMetrics("http://prometheus", transport=httpx.MockTransport(handle)).condition(alert)
