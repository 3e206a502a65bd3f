"""Whether an alert still fires, and what its expression did in the last hour, asked of Prometheus.

An alert comes from outside. Neither its labels nor the expression in its link are ever asked: whoever may send alerts would
read every metric. What is asked are the rules that Prometheus itself has under the alert's name, and the series that come back
are compared with the labels here.
"""

from datetime import timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit

import httpx
import structlog

from opsmend.adapters.prometheus.agreement import agree
from opsmend.adapters.prometheus.api import ActiveAlert, AlertingRule, Answer, BadQueryError, PrometheusApi, Series
from opsmend.adapters.prometheus.comparisons import compares_with_maximum
from opsmend.adapters.prometheus.load import load_of
from opsmend.adapters.prometheus.pods import pods_evidence
from opsmend.adapters.prometheus.sentences import about, over_the_hour
from opsmend.domain.alert import Alert
from opsmend.domain.diagnosis import Evidence
from opsmend.domain.load import Load
from opsmend.domain.ports.metrics import AlertCondition
from opsmend.domain.record import digest
from opsmend.domain.target import ObjectRef
from opsmend.errors import MetricsUnavailableError, bounded
from opsmend.policy.redaction import redact

_HOUR: Final = timedelta(hours=1)
_STEP: Final = timedelta(minutes=1)
_SERIES_SHOWN: Final = 3
_EXCERPT: Final = 1500
_MISSED_EVALUATIONS: Final = 3
"""An evaluation older than so many intervals is not recent: one may be late, three in a row are a stopped rule manager."""

_ABSENT: Final = "no Prometheus is configured (OPSMEND_PROMETHEUS_URL)"

_log = structlog.get_logger(__name__)


class PrometheusMetrics:
    """Metrics over the Prometheus at `url` (a path prefix and credentials in it are used)."""

    def __init__(
        self, url: str, *, timeout: timedelta = timedelta(seconds=10), transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._api = PrometheusApi(url, timeout, transport)

    async def close(self) -> None:
        await self._api.close()

    async def condition(self, alert: Alert) -> AlertCondition:
        """False only when nothing is left in doubt: see the checks in their order.

        Raises MetricsUnavailableError also when Prometheus knows the rule but does not evaluate it: it cannot tell.
        """
        active = await self._api.alerts()
        for candidate in active.data:
            if _is(candidate, alert):
                return AlertCondition(firing=True, detail=f"Prometheus lists it as {bounded(candidate.state, 20)}")
        rules = await self._api.alerting_rules(alert.name)
        if not rules.data:
            return AlertCondition(firing=None, detail=f"Prometheus has no alerting rule {alert.name!r}")
        for rule in _of_alert(rules.data, alert):
            _must_be_evaluated(rule, rules)
            series, partial = await self._matching(rule, alert)
            if series:
                return AlertCondition(firing=True, detail=f"its expression still holds: {about(series[0])}")
            if partial or active.partial or rules.partial:
                raise MetricsUnavailableError(f"Prometheus warns that its answer about {alert.name} is incomplete")
        await self._must_be_scraped(alert)
        return AlertCondition(
            firing=False, detail=f"Prometheus evaluates {alert.name}, lists no such alert, and its expression yields nothing"
        )

    async def evidence(self, alert: Alert) -> tuple[Evidence, ...]:
        texts = [*await self._expression_evidence(alert), *await pods_evidence(self._api, alert.target)]
        return tuple(
            Evidence(id=f"m{number}-{digest([alert.fingerprint, text])[:4]}", source="prometheus", excerpt=_excerpt(text))
            for number, text in enumerate(texts, start=1)
        )

    async def load(self, alert: Alert, workload: ObjectRef) -> Load | None:
        return await load_of(self._api, alert, workload)

    async def fires_at_maximum(self, alert: Alert) -> bool:
        return any(compares_with_maximum(rule.query) for rule in (await self._api.alerting_rules(alert.name)).data)

    async def _must_be_scraped(self, alert: Alert) -> None:
        """An expression yields nothing too when the exporter behind it is gone, which Prometheus reports as resolved."""
        job = alert.labels.get("job")
        if job is None:
            return
        scraped = [series for series in (await self._api.query("up")).data if series.metric.get("job") == job]
        if not any(series.value and series.value[1] == 1 for series in scraped):
            raise MetricsUnavailableError(
                f"Prometheus gets no data from job {bounded(job, 100)!r}, so nothing about {alert.name}"
            )

    async def _matching(self, rule: AlertingRule, alert: Alert) -> tuple[list[Series], bool]:
        """Series of the rule's expression with the alert's labels, and whether some may be missing."""
        try:
            answer = await self._api.query(rule.query)
        except BadQueryError as e:
            raise MetricsUnavailableError(f"Prometheus cannot carry out the expression of {alert.name} now") from e
        return [series for series in answer.data if agree(series.metric, alert.labels, but=set(rule.labels))], answer.partial

    async def _expression_evidence(self, alert: Alert) -> list[str]:
        rules = (await self._api.alerting_rules(alert.name)).data
        texts = []
        for rule in _of_alert(rules, alert)[:_SERIES_SHOWN]:
            expression, own_labels = rule.query, set(rule.labels)
            try:
                now = await self._api.query(expression)
                hour = await self._api.query_range(expression, now.at - _HOUR, now.at, _STEP)
            except BadQueryError:
                continue
            held = {digest(s.metric): s for s in hour.data if agree(s.metric, alert.labels, but=own_labels)}
            holds = {digest(s.metric): s for s in now.data if agree(s.metric, alert.labels, but=own_labels)}
            # What holds now comes first; it may be too young to have a point on the hour's grid.
            shown = list({**holds, **held})[:_SERIES_SHOWN]
            texts += [over_the_hour(expression, now=holds.get(key), hour=held.get(key)) for key in shown]
        return texts


class NoMetrics:
    """No Prometheus is configured: the workload's own health and a `resolved` notice decide, and incidents say so."""

    def __init__(self) -> None:
        _log.warning("metrics.absent", variable="OPSMEND_PROMETHEUS_URL")

    async def condition(self, alert: Alert) -> AlertCondition:
        return AlertCondition(firing=None, detail=_ABSENT)

    async def evidence(self, alert: Alert) -> tuple[Evidence, ...]:
        return ()

    async def load(self, alert: Alert, workload: ObjectRef) -> Load | None:
        raise MetricsUnavailableError(_ABSENT)

    async def fires_at_maximum(self, alert: Alert) -> bool:
        raise MetricsUnavailableError(_ABSENT)


def _is(candidate: ActiveAlert, alert: Alert) -> bool:
    """Alertmanager may have added labels (external_labels) or dropped some, so only what both have is compared."""
    return candidate.labels.get("alertname") == alert.name and agree(candidate.labels, alert.labels)


def _must_be_evaluated(rule: AlertingRule, answer: Answer[list[AlertingRule]]) -> None:
    if rule.health != "ok":
        reason = bounded(redact(rule.last_error), 200) or "not evaluated yet"
        raise MetricsUnavailableError(f"Prometheus cannot evaluate the rule {rule.name}: {reason}")
    age = answer.at - rule.last_evaluation
    # A second is what the Date header is exact to.
    if age > _MISSED_EVALUATIONS * rule.interval + timedelta(seconds=1):
        raise MetricsUnavailableError(
            f"Prometheus evaluated the rule {rule.name} last {age.total_seconds():.0f} s ago, "
            f"though it should every {rule.interval.total_seconds():.0f} s"
        )


def _of_alert(rules: list[AlertingRule], alert: Alert) -> list[AlertingRule]:
    """Of rules that share the alert's name, the one that has its expression too; all of them where none has."""
    expression = _expression_of(alert)
    return [rule for rule in rules if rule.query == expression] or rules


def _expression_of(alert: Alert) -> str:
    """The expression in Prometheus' generatorURL: `…/graph?g0.expr=<expression>&g0.tab=1`."""
    try:
        query = urlsplit(alert.expression_url or "").query
        return parse_qs(query, max_num_fields=20).get("g0.expr", [""])[0]
    except ValueError:
        return ""


def _excerpt(text: str) -> str:
    return bounded(redact(text), _EXCERPT)
