"""An autoscaler at its maximum gets the maximum that it would choose itself, if there is room, and no more than double."""

from typing import Any

import pytest
from tests.builders import (
    a_condition,
    a_limited_autoscaler,
    a_node,
    a_quota,
    a_snapshot,
    a_target,
    a_workload,
    an_autoscaler,
)

from opsmend.agents.sre.detectors.autoscaler_limited import detect
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.snapshot import Autoscaler, AutoscalerMetric, Snapshot

ROOMY = a_node(requested={"cpu": "500m", "memory": "1Gi", "pods": "5"})
FULL = a_node(requested={"cpu": "3950m", "memory": "1Gi", "pods": "5"})


def seen(autoscaler: Autoscaler | None = None, **changes: Any) -> Snapshot:
    defaults = {"workload": a_workload(desired_replicas=5), "autoscalers": (autoscaler or a_limited_autoscaler(),)}
    return a_snapshot(**(defaults | {"nodes": (ROOMY,)} | changes))


def found(snapshot: Snapshot) -> tuple[Finding, Hint]:
    (finding,) = detect(snapshot)
    return finding, finding.hints[0]


def test_the_new_maximum_is_what_the_autoscaler_itself_would_choose() -> None:
    finding, hint = found(seen())
    assert (hint.remedy, hint.object, hint.max_replicas) == (Remedy.RAISE_AUTOSCALER, a_limited_autoscaler().ref, 8)
    assert "cpu is at 128% of 80%: 5 x 128% / 80% makes 8 replicas" in hint.reason
    assert finding.resource == a_limited_autoscaler().ref
    assert finding.beside == (a_limited_autoscaler().ref,)


def test_an_alert_about_the_autoscaler_finds_the_same() -> None:
    assert detect(seen(target=a_target("HorizontalPodAutoscaler"))) == detect(seen())


def test_one_is_to_spare_where_the_alert_fires_as_long_as_all_are_used() -> None:
    _, hint = found(seen(fires_at_maximum=True))
    assert hint.max_replicas == 9
    assert "makes 8 replicas" in hint.reason
    assert "one more than it needs: 9" in hint.reason


@pytest.mark.parametrize(
    ("metrics", "replicas"),
    [
        pytest.param([("cpu", 81.0, 80.0)], None, id="within-the-tolerance"),
        pytest.param([("cpu", 100.0, 80.0)], 7, id="rounded-up"),
        pytest.param([("cpu", 96.0, 80.0)], 6, id="whole"),
        pytest.param([("requests of web", 0.18, 0.1)], 9, id="no-more-for-an-inexact-fraction"),
        pytest.param([("cpu", 60.0, 80.0), ("queue", 30.0, 20.0)], 8, id="the-metric-that-asks-for-most"),
        pytest.param([("cpu", None, 80.0), ("queue", 30.0, 20.0)], 8, id="an-unknown-metric-beside-a-known-one"),
    ],
)
def test_the_arithmetic_is_that_of_kubernetes(metrics: list[tuple[str, float | None, float]], replicas: int | None) -> None:
    known = tuple(AutoscalerMetric(name=name, current=current, target=target) for name, current, target in metrics)
    findings = detect(seen(a_limited_autoscaler(metrics=known)))
    assert [finding.hints[0].max_replicas for finding in findings] == ([] if replicas is None else [replicas])


@pytest.mark.parametrize(
    ("snapshot", "why"),
    [
        pytest.param(seen(a_limited_autoscaler(at=400)), "more than 2 times the 5", id="more-than-double"),
        pytest.param(seen(a_limited_autoscaler(at=None)), "not measured", id="metric-unknown"),
        pytest.param(seen(nodes=(FULL,)), "have room for 0 more pods, 3 are needed", id="nodes-full"),
        pytest.param(seen(nodes=(a_node(),)), "the 0 nodes that were looked at", id="nodes-not-looked-at"),
        pytest.param(seen(quotas=(a_quota(hard={"pods": "7"}, used={"pods": "5"}),)), "pods: 5 used of 7", id="quota-full"),
        pytest.param(
            seen(unseen=("resource quotas: 403",)), "quotas of the namespace could not be looked at", id="quotas-not-seen"
        ),
    ],
)
def test_what_cannot_be_raised_is_left_to_a_person_with_the_reason(snapshot: Snapshot, why: str) -> None:
    finding, hint = found(snapshot)
    assert hint.remedy is Remedy.NONE
    assert why in hint.reason
    assert finding.evidence


@pytest.mark.parametrize(
    "autoscaler",
    [
        pytest.param(a_limited_autoscaler(at=60), id="load-below-target-again"),
        pytest.param(an_autoscaler(at=128), id="not-at-its-maximum"),
        pytest.param(
            a_limited_autoscaler(conditions=(a_condition("ScalingLimited", reason="TooFewReplicas"),)), id="at-its-minimum"
        ),
        pytest.param(
            a_limited_autoscaler(conditions=(a_condition("ScalingLimited", "False", reason="DesiredWithinRange"),)),
            id="within-its-range",
        ),
    ],
)
def test_abstains_where_it_gets_what_it_wants(autoscaler: Autoscaler) -> None:
    assert detect(seen(autoscaler)) == []


def test_abstains_without_the_workload_that_it_scales() -> None:
    assert detect(seen(workload=None, revisions=())) == []
