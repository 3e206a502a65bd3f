"""An alert is gone only when nothing is left in doubt."""

from typing import Any
from urllib.parse import quote_plus

import pytest
from tests.contract.metrics.conftest import the_alert
from tests.contract.metrics.recorded_prometheus import EXPRESSION, RecordedPrometheus, asked, body

from opsmend.domain.alert import Alert
from opsmend.errors import MetricsUnavailableError


async def test_an_active_alert_fires(alert: Alert) -> None:
    condition = await RecordedPrometheus("firing").metrics().condition(alert)
    assert condition.firing is True
    assert condition.detail == "Prometheus lists it as firing"


async def test_a_pending_alert_is_not_over(alert: Alert) -> None:
    pending = body(lambda data: data["alerts"][0].update(state="pending"))
    assert (await RecordedPrometheus("firing", {"GET alerts": pending}).metrics().condition(alert)).firing is True


async def test_a_recovered_alert_is_gone(alert: Alert) -> None:
    condition = await RecordedPrometheus("recovered").metrics().condition(alert)
    assert condition.firing is False
    assert "yields nothing" in condition.detail


async def test_the_alert_of_another_pod_is_not_ours() -> None:
    """The exporter reports the other pod's alert, not this one's."""
    other = the_alert(labels={"pod": "api-6f5b9c7f5d-aaaaa"})
    assert (await RecordedPrometheus("firing").metrics().condition(other)).firing is False


async def test_labels_that_only_one_side_has_do_not_hide_an_alert(alert: Alert) -> None:
    added = body(lambda data: data["alerts"][0]["labels"].update(replica="a"))
    assert (await RecordedPrometheus("firing", {"GET alerts": added}).metrics().condition(alert)).firing is True


async def test_an_expression_that_still_holds_fires_though_no_alert_is_listed(alert: Alert) -> None:
    nothing_listed = body(lambda data: data.update(alerts=[]))
    condition = await RecordedPrometheus("firing", {"GET alerts": nothing_listed}).metrics().condition(alert)
    assert condition.firing is True
    assert "its expression still holds" in condition.detail
    assert "web-5d4b9c7f5d-x2x9z" in condition.detail


async def test_a_label_that_the_rule_sets_itself_is_not_asked_of_its_series(alert: Alert) -> None:
    def relabelled(data: dict[str, Any]) -> None:
        data["result"][0]["metric"]["severity"] = "info"

    changes = {"GET alerts": body(lambda data: data.update(alerts=[])), f"POST query {EXPRESSION}": body(relabelled)}
    assert (await RecordedPrometheus("firing", changes).metrics().condition(alert)).firing is True


async def test_an_alert_that_went_away_because_its_exporter_died_is_not_recovered(alert: Alert) -> None:
    with pytest.raises(MetricsUnavailableError, match="gets no data from job 'kube-state-metrics'"):
        await RecordedPrometheus("source_down").metrics().condition(alert)


def _rule(**changes: Any) -> Any:
    return body(lambda data: data["groups"][0]["rules"][0].update(changes))


DOUBTS = {
    "rule fails": ({"GET rules type": _rule(health="err", lastError="many-to-many matching")}, "many-to-many"),
    "rule not evaluated yet": ({"GET rules type": _rule(health="unknown")}, "not evaluated yet"),
    "rule not evaluated for an hour": (
        {"GET rules type": _rule(lastEvaluation="2026-11-22T19:00:00Z")},
        "though it should every 1 s",
    ),
    "answer may be incomplete": (
        {f"POST query {EXPRESSION}": lambda answer: answer["body"].update(warnings=["store x is down"])},
        "incomplete",
    ),
}


@pytest.mark.parametrize(("changes", "says"), DOUBTS.values(), ids=DOUBTS.keys())
async def test_a_doubt_is_no_recovery(alert: Alert, changes: dict[str, Any], says: str) -> None:
    changes = {key.removesuffix(" type"): change for key, change in changes.items()}
    with pytest.raises(MetricsUnavailableError, match=says):
        await RecordedPrometheus("recovered", changes).metrics().condition(alert)


LINKS = {
    "no link": None,
    "expression of a rule with another name": f"http://other/graph?g0.expr={quote_plus(EXPRESSION)}&g0.tab=1",
    "expression of no rule": "http://x/graph?g0.expr=vault_token_count",
    "not a link": "http://[",
}


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS.keys())
@pytest.mark.parametrize("recording", ["recovered", "firing"])
async def test_an_alert_without_a_rule_here_is_unknown_and_its_link_is_not_asked(recording: str, link: str | None) -> None:
    """Whoever may send alerts would read any metric by it: what it yields was shown as evidence."""
    elsewhere = the_alert(labels={"alertname": "Elsewhere"}, expression_url=link)
    prometheus = RecordedPrometheus(recording)
    condition = await prometheus.metrics().condition(elsewhere)
    assert condition.firing is None
    assert condition.detail == "Prometheus has no alerting rule 'Elsewhere'"
    assert not any(asked(request) for request in prometheus.requests)


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS.keys())
async def test_an_alert_with_a_rule_here_is_asked_by_the_rule_whatever_its_link_says(link: str | None) -> None:
    """The recorded Prometheus fails on any query that was not recorded."""
    prometheus = RecordedPrometheus("recovered")
    assert (await prometheus.metrics().condition(the_alert(expression_url=link))).firing is False
    assert {asked(request) for request in prometheus.requests} == {None, EXPRESSION, "up"}


async def test_of_two_rules_of_one_name_the_one_with_the_alerts_expression_is_asked() -> None:
    def another(data: dict[str, Any]) -> None:
        rules = data["groups"][0]["rules"]
        rules.insert(0, rules[0] | {"query": "something_else > 1"})

    link = f"http://prometheus/graph?g0.expr={quote_plus(EXPRESSION)}&g0.tab=1"
    prometheus = RecordedPrometheus("recovered", {"GET rules": body(another)})
    assert (await prometheus.metrics().condition(the_alert(expression_url=link))).firing is False


async def test_hostile_labels_never_reach_a_query() -> None:
    """The recorded Prometheus fails on any query that was not recorded."""
    hostile = the_alert(labels={"pod": '"} or vector(1) #', "namespace": 'x"}'})
    assert (await RecordedPrometheus("firing").metrics().condition(hostile)).firing is False


async def test_a_path_prefix_of_the_address_is_kept(alert: Alert) -> None:
    recorded = RecordedPrometheus("firing", prefix="/prom")
    assert (await recorded.metrics("http://proxy/prom").condition(alert)).firing is True
