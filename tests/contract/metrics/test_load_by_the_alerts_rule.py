"""What a replica carries is read from the rule that fired, and only where it is a load that replicas share."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.builders import a_ref, an_alert
from tests.contract.metrics.real_prometheus import Exporter, a_prometheus, eventually, is_ready, needs_prometheus

from opsmend.adapters.prometheus.comparisons import compares_with_maximum, find_comparison
from opsmend.adapters.prometheus.metrics import PrometheusMetrics
from opsmend.domain.alert import Alert
from opsmend.domain.load import Load, LoadSource
from opsmend.domain.target import ObjectRef
from opsmend.errors import MetricsUnavailableError

REQUESTS = 'rate(http_requests_total{namespace="shop",deployment="web"}[1m])'
AVAILABLE = 'kube_deployment_status_replicas_available{namespace="shop",deployment="web"}'

PER_REPLICA = [
    pytest.param(f"sum({REQUESTS}) / sum({AVAILABLE}) > 10", 10, "/s", id="divided-by-replicas"),
    pytest.param(f"sum({REQUESTS}) / on() kube_deployment_spec_replicas > 10", 10, "/s", id="matched-on-nothing"),
    pytest.param(
        "sum by (namespace, deployment) (rate(http_requests_total[5m])) / on (namespace, deployment) group_left "
        "kube_deployment_spec_replicas >= 10", 10, "/s", id="grouped",
    ),
    pytest.param(f"10 < sum({REQUESTS}) / sum({AVAILABLE})", 10, "/s", id="the-other-way-round"),
    pytest.param(f"(sum({REQUESTS}) / {AVAILABLE}) > (5 * 2)", 10, "/s", id="a-limit-that-is-reckoned"),
    pytest.param(f'sum({REQUESTS}) / count(up{{job="web"}}) > 10', 10, "/s", id="divided-by-scraped-pods"),
    pytest.param(f"sum({REQUESTS}) / scalar(count(kube_pod_info)) > 10", 10, "/s", id="a-scalar"),
    pytest.param(f"sum({REQUESTS}) / clamp_min({AVAILABLE}, 1) > 10", 10, "/s", id="guarded-against-zero"),
    pytest.param(f'sum({REQUESTS}) / sum(kube_pod_status_ready{{condition="true"}}) > 10', 10, "/s", id="ready-pods"),
    pytest.param(f"60 * sum({REQUESTS}) / {AVAILABLE} > 600", 600, "", id="a-minute"),
    pytest.param(f"avg({REQUESTS}) > 10", 10, "/s", id="an-average"),
    pytest.param(f"avg by (deployment) (sum by (pod, deployment) ({REQUESTS})) > 10", 10, "/s", id="an-average-of-sums"),
    pytest.param(f"sum({REQUESTS}) / {AVAILABLE} > 10 and on() {AVAILABLE} > 0", 10, "/s", id="one-of-two-conditions"),
    pytest.param("sum(queue_length) / kube_deployment_spec_replicas > 100", 100, "", id="waiting-work"),
    pytest.param("shop:http_requests:rate5m / shop:web:replicas > 10", 10, "", id="recorded"),
    pytest.param(
        "sum(rate(container_cpu_usage_seconds_total[5m])) / kube_deployment_spec_replicas > 0.8", 0.8, " cores", id="cpu"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("query", "limit", "unit"), PER_REPLICA)
def test_a_load_that_replicas_share_is_recognised(query: str, limit: float, unit: str) -> None:
    found = find_comparison(query)
    assert found is not None
    assert (found.limit, found.unit) == (limit, unit)
    assert bool(found.replicas) is not bool(found.each)


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(f"sum({REQUESTS}) > 100", id="not-per-replica"),
        pytest.param("sum(rate(errors_total[5m])) / kube_deployment_spec_replicas > 1", id="errors"),
        pytest.param('sum(rate(http_requests_total{code=~"5.."}[5m])) / count(up) > 1', id="errors-by-status"),
        pytest.param(
            'sum(rate(http_requests_total{code=~"5.."}[5m])) / sum(rate(http_requests_total[5m])) > 0.1', id="a-share-of-errors"
        ),
        pytest.param("sum(container_memory_working_set_bytes) / kube_deployment_spec_replicas > 1e9", id="memory"),
        pytest.param("avg(process_resident_memory_bytes) > 1e9", id="an-average-of-memory"),
        pytest.param("histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m]))) > 1", id="latency"),
        pytest.param("avg(http_request_duration_seconds) > 1", id="an-average-of-latency"),
        pytest.param("rate(latency_seconds_sum[5m]) / rate(latency_seconds_count[5m]) > 1", id="a-mean-latency"),
        pytest.param("sum(rate(kube_pod_container_status_restarts_total[5m])) / count(up) > 1", id="restarts"),
        pytest.param(f"sum({REQUESTS}) / {AVAILABLE} < 10", id="too-little"),
        pytest.param(f"sum({REQUESTS}) / {AVAILABLE} > 0", id="no-limit"),
        pytest.param(f"sum({REQUESTS}) / {AVAILABLE} > some_limit", id="a-limit-that-is-measured"),
        pytest.param(f"sum({REQUESTS}) / {AVAILABLE} > 10 or vector(1)", id="either-of-two"),
        pytest.param("up == 0", id="something-else"),
        pytest.param("sum(rate(", id="no-promql"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_more_replicas_would_not_share_is_no_load(query: str) -> None:
    assert find_comparison(query) is None


AT_MAXIMUM = (
    "kube_horizontalpodautoscaler_status_current_replicas{namespace='shop'} "
    "== kube_horizontalpodautoscaler_spec_max_replicas{namespace='shop'}"
)
MAXED_OUT = [
    pytest.param(AT_MAXIMUM, True, id="kubernetes-mixin"),
    pytest.param(f"{AT_MAXIMUM} and changes(x[15m]) == 0 and a > b", True, id="kubernetes-mixin-in-full"),
    pytest.param(
        f"{AT_MAXIMUM} and on (a) kube_horizontalpodautoscaler_status_condition{{condition='ScalingLimited'}} == 1",
        False,
        id="only-while-it-wants-more",
    ),
    pytest.param("kube_hpa_spec_max_replicas <= kube_hpa_status_current_replicas", True, id="the-other-way-round"),
    pytest.param("kube_horizontalpodautoscaler_status_condition{condition='ScalingLimited'} == 1", False, id="limited"),
    pytest.param("desired > kube_horizontalpodautoscaler_spec_max_replicas", False, id="more-than-that-is-never-reached"),
    pytest.param("sum(rate(", False, id="no-promql"),
]


@pytest.mark.parametrize(("query", "fires"), MAXED_OUT)
def test_an_alert_that_fires_as_long_as_an_autoscaler_is_at_its_maximum_is_known(query: str, fires: bool) -> None:
    assert compares_with_maximum(query) is fires


async def test_the_rule_of_the_alert_decides_whether_it_fires_at_a_maximum() -> None:
    assert await ScriptedPrometheus(AT_MAXIMUM).metrics().fires_at_maximum(ALERT)
    assert not await ScriptedPrometheus("up == 0").metrics().fires_at_maximum(ALERT)
    assert not await ScriptedPrometheus().metrics().fires_at_maximum(ALERT)


class ScriptedPrometheus:
    """Answers queries by their text; those that nobody scripted yield nothing."""

    def __init__(self, rule: str = "", **answers: Any) -> None:
        self._rule = rule
        self._answers: dict[str, list[tuple[dict[str, str], str]]] = answers.get("answers", {})
        self.queries: list[str] = []

    def metrics(self) -> PrometheusMetrics:
        return PrometheusMetrics("http://prometheus", transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/rules":
            rule = {"name": "HighLoad", "query": self._rule, "labels": {"severity": "warning"}, "health": "ok"}
            groups = [{"interval": 1, "rules": [rule | {"lastEvaluation": "2026-01-01T00:00:00Z"}]}] if self._rule else []
            return httpx.Response(200, json={"data": {"groups": groups}})
        query = dict(pair.split("=", 1) for pair in request.content.decode().split("&"))["query"]
        asked = str(httpx.QueryParams(f"q={query}")["q"])
        self.queries.append(asked)
        series = [{"metric": metric, "value": [1, value]} for metric, value in self._answers.get(asked, [])]
        return httpx.Response(200, json={"data": {"resultType": "vector", "result": series}})


ALERT = an_alert(name="HighLoad", labels={"alertname": "HighLoad", "namespace": "shop", "deployment": "web"})
DIVIDED = f"sum({REQUESTS}) / on () {AVAILABLE} > 10"
VALUE = f"sum({REQUESTS}) / on () {AVAILABLE}"


def answers(*value: tuple[dict[str, str], str], replicas: str = "4") -> dict[str, Any]:
    return {VALUE: list(value or [({}, "14.25")]), AVAILABLE: [({"namespace": "shop", "deployment": "web"}, replicas)]}


async def load(prometheus: ScriptedPrometheus, alert: Alert = ALERT, workload: ObjectRef | None = None) -> Load | None:
    return await prometheus.metrics().load(alert, workload or a_ref())


async def test_value_replicas_and_limit_are_taken_from_the_rule() -> None:
    found = await load(ScriptedPrometheus(DIVIDED, answers=answers()))
    assert found is not None
    assert (found.source, found.per_replica, found.replicas, found.limit) == (LoadSource.RULE, 14.25, 4, 10)
    assert found.total == 57


async def test_an_average_is_over_one_series_a_pod_of_the_workload() -> None:
    pods = [({"namespace": "shop", "pod": f"web-5d4b9c7f5d-{suffix}"}, "12") for suffix in ("x2x9z", "b4b4b")]
    found = await load(ScriptedPrometheus(f"avg({REQUESTS}) > 10", answers={REQUESTS: pods}))
    assert found is not None
    assert (found.per_replica, found.replicas) == (12, 2)


UNCLEAR = {
    "no such series": ScriptedPrometheus(DIVIDED),
    "several values": ScriptedPrometheus(DIVIDED, answers=answers(({"zone": "a"}, "1"), ({"zone": "b"}, "2"))),
    "the value of another": ScriptedPrometheus(DIVIDED, answers=answers(({"deployment": "cart"}, "14"))),
    "not a number": ScriptedPrometheus(DIVIDED, answers=answers(({}, "NaN"))),
    "divided by nothing": ScriptedPrometheus(DIVIDED, answers=answers(({}, "+Inf"), replicas="0")),
    "an average over more than pods": ScriptedPrometheus(
        f"avg({REQUESTS}) > 10",
        answers={REQUESTS: [({"pod": "web-5d4b9c7f5d-x2x9z", "code": code}, "12") for code in ("200", "500")]},
    ),
    "an average over others' pods": ScriptedPrometheus(
        f"avg({REQUESTS}) > 10", answers={REQUESTS: [({"pod": "cart-5d4b9c7f5d-x2x9z"}, "12")]}
    ),
}


@pytest.mark.parametrize("prometheus", UNCLEAR.values(), ids=UNCLEAR.keys())
async def test_what_is_not_exactly_one_value_of_the_workload_is_no_load(prometheus: ScriptedPrometheus) -> None:
    assert await load(prometheus) is None


CPU = 'sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{namespace="shop",container!="",container!="POD"}[5m]))'


async def test_without_such_a_rule_the_cpu_of_the_pods_is_told() -> None:
    mine = [({"namespace": "shop", "pod": f"web-5d4b9c7f5d-{suffix}"}, "0.3") for suffix in ("x2x9z", "b4b4b")]
    others = [({"namespace": "shop", "pod": "web-admin-5d4b9c7f5d-x2x9z"}, "9")]
    found = await load(ScriptedPrometheus("up == 0", answers={CPU: mine + others}))
    assert found is not None
    assert (found.source, found.per_replica, found.replicas, found.limit) == (LoadSource.CPU, 0.3, 2, None)


async def test_an_expression_that_came_with_the_alert_is_never_asked() -> None:
    hostile = ALERT.model_copy(update={"expression_url": f"http://x/graph?g0.expr={DIVIDED}"})
    prometheus = ScriptedPrometheus(answers=answers())
    assert await load(prometheus, hostile) is None
    assert prometheus.queries == [CPU]


async def test_a_hostile_namespace_is_never_written_into_a_query() -> None:
    prometheus = ScriptedPrometheus("up == 0")
    assert await load(prometheus, workload=ObjectRef(kind="Deployment", namespace='x"} or vector(1) #', name="web")) is None
    assert prometheus.queries == []


async def test_a_prometheus_that_does_not_answer_is_unavailable() -> None:
    metrics = PrometheusMetrics("http://prometheus", transport=httpx.MockTransport(lambda _: httpx.Response(503)))
    with pytest.raises(MetricsUnavailableError):
        await metrics.load(ALERT, a_ref())


@needs_prometheus
async def test_a_real_prometheus_understands_what_is_asked_of_it(tmp_path: Path) -> None:
    """Every form of rule is asked in parts, as the parser writes them down again."""
    started = [0.0]

    def told() -> str:
        started[0] += 57
        labels = 'namespace="shop",deployment="web"'
        lines = [
            f"http_requests_total{{{labels}}} {started[0]}",
            f"kube_deployment_status_replicas_available{{{labels}}} 4",
            f"kube_deployment_spec_replicas{{{labels}}} 4",
        ]
        return "".join(f"{line}\n" for line in lines)

    rules = [{"alert": f"Rule{number}", "expr": case.values[0]} for number, case in enumerate(PER_REPLICA)]
    rules.append({"alert": "Quick", "expr": DIVIDED.replace("[1m]", "[5s]")})
    exporter = Exporter(told)
    with a_prometheus(tmp_path, exporter, *rules) as url:
        await eventually(lambda: is_ready(url))
        metrics = PrometheusMetrics(url)

        async def measured() -> bool:
            found = await metrics.load(ALERT.model_copy(update={"name": "Quick"}), a_ref())
            return found is not None and found.replicas == 4 and 50 < found.total < 65

        await eventually(measured)
        found = [await metrics.load(ALERT.model_copy(update={"name": rule["alert"]}), a_ref()) for rule in rules]
        assert [load.replicas for load in found[:4] if load] == [4, 4, 4, 4]
        await metrics.close()
    exporter.stop()
