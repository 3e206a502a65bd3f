"""What the replicas of a workload carry: by the rule that fired, or the CPU that they use.

Only rules that Prometheus itself has are asked, never an expression that came with an alert.
"""

import math
from collections import Counter
from typing import Final

from opsmend.adapters.prometheus.agreement import agree
from opsmend.adapters.prometheus.api import AlertingRule, BadQueryError, PrometheusApi, Series
from opsmend.adapters.prometheus.comparisons import Comparison, find_comparison
from opsmend.adapters.prometheus.pods import DNS_LABEL, belongs
from opsmend.domain.alert import Alert
from opsmend.domain.load import Load, LoadSource
from opsmend.domain.target import ObjectRef

_CPU: Final = (
    'sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{namespace="%s",container!="",container!="POD"}[5m]))'
)
"""cAdvisor's series; the ones without a container are sums of the others. The name of the namespace is checked before."""


async def load_of(api: PrometheusApi, alert: Alert, workload: ObjectRef) -> Load | None:
    rules = await api.alerting_rules(alert.name)
    for rule in rules.data:
        comparison = find_comparison(rule.query)
        load = await _by_rule(api, alert, workload, rule, comparison) if comparison else None
        if load is not None:
            return load
    return await _by_cpu(api, workload)


async def _by_rule(
    api: PrometheusApi, alert: Alert, workload: ObjectRef, rule: AlertingRule, comparison: Comparison
) -> Load | None:
    """None where it is not exactly one value, or not one of this workload."""
    try:
        if comparison.each:
            measured = _over_pods(await _matching(api, comparison.each, alert, rule), workload)
        else:
            value = _only(await _matching(api, comparison.value, alert, rule))
            replicas = _only(await _matching(api, comparison.replicas, alert, rule))
            measured = None if value is None or replicas is None else (value, replicas)
    except BadQueryError:
        return None
    if measured is None:
        return None
    return Load(
        source=LoadSource.RULE,
        per_replica=measured[0],
        replicas=measured[1],
        limit=comparison.limit,
        inclusive=comparison.inclusive,
        unit=comparison.unit,
        expression=rule.query[:1000],
    )


async def _matching(api: PrometheusApi, expression: str, alert: Alert, rule: AlertingRule) -> list[Series]:
    answer = await api.query(expression)
    return [series for series in answer.data if agree(series.metric, alert.labels, but=set(rule.labels))]


def _only(series: list[Series]) -> float | None:
    values = [_finite(one) for one in series]
    return values[0] if len(values) == 1 else None


def _over_pods(series: list[Series], workload: ObjectRef) -> tuple[float, float] | None:
    """Average and number, if it is one series for each pod of the workload: an average over more says nothing of a pod."""
    pods = Counter(one.metric.get("pod", "") for one in series)
    values = [value for one in series if (value := _finite(one)) is not None]
    of_workload = all(belongs(pod, workload) for pod in pods)
    if not pods or not of_workload or max(pods.values()) > 1 or len(values) < len(series):
        return None
    return sum(values) / len(values), float(len(values))


async def _by_cpu(api: PrometheusApi, workload: ObjectRef) -> Load | None:
    if not DNS_LABEL.fullmatch(workload.namespace):
        return None
    expression = _CPU % workload.namespace
    try:
        answer = await api.query(expression)
    except BadQueryError:
        return None
    mine = [series for series in answer.data if series.metric.get("namespace") == workload.namespace]
    measured = _over_pods([series for series in mine if belongs(series.metric.get("pod", ""), workload)], workload)
    if measured is None or answer.partial:
        return None
    return Load(source=LoadSource.CPU, per_replica=measured[0], replicas=measured[1], unit=" cores", expression=expression)


def _finite(series: Series) -> float | None:
    value = series.value[1] if series.value else math.nan
    return value if math.isfinite(value) else None
