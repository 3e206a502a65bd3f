"""What Prometheus saw of a problem, in sentences with numbers."""

import pytest
from tests.builders import a_ref, a_target
from tests.contract.metrics.conftest import the_alert
from tests.contract.metrics.recorded_prometheus import EXPRESSION, RecordedPrometheus, asked, body

from opsmend.adapters.prometheus.metrics import NoMetrics
from opsmend.domain.alert import Alert
from opsmend.errors import MetricsUnavailableError


async def test_expression_restarts_and_memory_are_told_with_numbers(alert: Alert) -> None:
    evidence = await RecordedPrometheus("firing").metrics().evidence(alert)
    expression, restarts, memory = (e.excerpt for e in evidence)
    assert expression.startswith(f"`{EXPRESSION}` {{")
    assert expression.endswith("1 now; had a value in 1 of 61 minutes of the last hour, 1 to 1")
    assert restarts == "restarts in the last hour, extrapolated: web-5d4b9c7f5d-x2x9z/app 5"
    assert memory == "highest memory in the last hour: web-5d4b9c7f5d-x2x9z/app 112Mi of 128Mi"
    assert {e.source for e in evidence} == {"prometheus"}


async def test_a_problem_too_young_for_the_hour_is_told(alert: Alert) -> None:
    young = RecordedPrometheus("firing", {f"POST query_range {EXPRESSION}": body(lambda data: data.update(result=[]))})
    evidence = await young.metrics().evidence(alert)
    assert evidence[0].excerpt.endswith("1 now; no value in the last hour before")


async def test_a_problem_that_is_over_is_told(alert: Alert) -> None:
    over = RecordedPrometheus("firing", {f"POST query {EXPRESSION}": body(lambda data: data.update(result=[]))})
    evidence = await over.metrics().evidence(alert)
    assert evidence[0].excerpt.endswith("nothing now; had a value in 1 of 61 minutes of the last hour, 1 to 1")


async def test_evidence_of_two_alerts_has_ids_of_its_own(alert: Alert) -> None:
    metrics = RecordedPrometheus("firing").metrics()
    first, second = await metrics.evidence(alert), await metrics.evidence(the_alert(fingerprint="f2"))
    assert len({e.id for e in (*first, *second)}) == len(first) + len(second)
    assert [e.id for e in first] == [e.id for e in await metrics.evidence(alert)]


async def test_pods_of_a_workload_with_a_longer_name_are_not_its_own(alert: Alert) -> None:
    """web-admin restarts too."""
    evidence = await RecordedPrometheus("firing").metrics().evidence(alert)
    assert not any("web-admin" in e.excerpt for e in evidence)


@pytest.mark.parametrize("namespace", ['shop"} or vector(1) #', "", "Shop", "a" * 64], ids=["promql", "none", "case", "long"])
async def test_a_namespace_that_kubernetes_would_not_take_is_not_asked_for(namespace: str) -> None:
    alert = the_alert(target=a_target(namespace=namespace))
    evidence = await RecordedPrometheus("firing").metrics().evidence(alert)
    assert [e.excerpt for e in evidence if "restarts" in e.excerpt or "memory" in e.excerpt] == []


async def test_the_expression_in_an_alerts_link_is_never_evidence() -> None:
    hostile = the_alert(labels={"alertname": "Mine"}, expression_url="http://x/graph?g0.expr=vault_token_count")
    prometheus = RecordedPrometheus("firing")
    assert not any("vault" in e.excerpt for e in await prometheus.metrics().evidence(hostile))
    assert not any("vault" in (asked(request) or "") for request in prometheus.requests)


async def test_no_prometheus_says_which_variable_is_unset(alert: Alert, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = NoMetrics()
    condition = await metrics.condition(alert)
    assert condition.firing is None
    assert condition.detail == "no Prometheus is configured (OPSMEND_PROMETHEUS_URL)"
    assert await metrics.evidence(alert) == ()
    with pytest.raises(MetricsUnavailableError, match="OPSMEND_PROMETHEUS_URL"):
        await metrics.load(alert, a_ref())
    with pytest.raises(MetricsUnavailableError, match="OPSMEND_PROMETHEUS_URL"):
        await metrics.fires_at_maximum(alert)
    assert "metrics.absent" in capsys.readouterr().out
