"""Who took what a quota lacks is named with its numbers, and gives it back, only where no other can be it."""

from typing import Any

import pytest
from tests.builders import (
    a_condition,
    a_neighbour,
    a_quota,
    a_ref,
    a_snapshot,
    a_template,
    a_workload,
    ago,
    an_event,
    some_revisions,
)

from opsmend.agents.sre.detectors.quota_exceeded import detect
from opsmend.domain.diagnosis import Finding, Remedy
from opsmend.domain.neighbour import Neighbour
from opsmend.domain.snapshot import Snapshot

REFUSED = an_event(
    "FailedCreate",
    'Error creating: pods "web-6d4cf-x" is forbidden: exceeded quota: team, requested: limits.memory=256Mi, '
    "used: limits.memory=3328Mi, limited: limits.memory=3330Mi",
    about="ReplicaSet web-6d4cf",
    first_seen=ago(minutes=4),
)
SHORT = a_workload(
    desired_replicas=3,
    replicas=1,
    ready_replicas=1,
    conditions=(a_condition("ReplicaFailure", reason="FailedCreate", since=ago(minutes=4)),),
)
QUOTA = a_quota("team", hard={"limits.memory": "3330Mi"}, used={"limits.memory": "3328Mi"}, changed_at=ago(days=9))
GREW = {"replicas_before": 1, "grown_at": ago(minutes=6), "scaled_at": ago(minutes=6), "scaled_by": "kubectl-scale"}
BATCH = a_neighbour("batch", **GREW)


def seen(*neighbours: Neighbour, **changes: Any) -> Snapshot:
    """Two of three pods of web are refused."""
    defaults = {"workload": SHORT, "quotas": (QUOTA,), "events": (REFUSED,), "neighbours": neighbours}
    return a_snapshot(**(defaults | changes))


def found(snapshot: Snapshot) -> Finding:
    (finding,) = detect(snapshot)
    return finding


def test_who_took_it_gives_back_what_it_had_not_before() -> None:
    finding = found(seen(BATCH, a_neighbour("quiet", replicas=2)))
    assert finding.resource == a_ref(name="batch")
    hint = finding.hints[0]
    assert (hint.remedy, hint.object, hint.replicas) == (Remedy.SCALE_BACK, a_ref(name="batch"), 1)
    assert "scaled from 1 to 6 by kubectl-scale" in hint.reason
    assert "scaled from 1 to 6 by kubectl-scale" in finding.summary
    assert finding.beside == (a_ref(name="batch"),)


def test_a_growth_of_the_target_that_was_refused_took_nothing() -> None:
    own = a_neighbour("web", replicas=3, **(GREW | {"grown_at": ago(minutes=5)}))
    assert found(seen(BATCH, own)).resource == a_ref(name="batch")


def test_its_manifest_tells_what_it_had_when_no_event_does() -> None:
    told = a_neighbour("batch", applied_replicas=2, scaled_at=ago(minutes=6), scaled_by="mia")
    assert found(seen(told)).hints[0].replicas == 2


def test_the_last_that_grew_is_to_blame_and_not_who_grew_long_before() -> None:
    old = a_neighbour("old", **(GREW | {"grown_at": ago(hours=5)}))
    assert found(seen(old, BATCH)).resource == a_ref(name="batch")


ALREADY_FULL = a_quota("team", hard={"limits.memory": "3330Mi"}, used={"limits.memory": "3328Mi"}, changed_at=ago(minutes=5))


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(seen(), id="nobody-else"),
        pytest.param(seen(a_neighbour("batch")), id="nothing-tells-what-it-had"),
        pytest.param(seen(a_neighbour("batch", **(GREW | {"grown_at": ago(minutes=2)}))), id="grew-after-the-refusal"),
        pytest.param(seen(a_neighbour("batch", **(GREW | {"replicas": 2}))), id="would-give-back-too-little"),
        pytest.param(
            seen(a_neighbour("batch", template={"spec": {"containers": [{"name": "b", "resources": {}}]}}, **GREW)),
            id="its-pods-take-nothing-of-that",
        ),
        pytest.param(seen(a_neighbour("batch", **(GREW | {"replicas_before": 0}))), id="was-new"),
        pytest.param(seen(BATCH, quotas=(ALREADY_FULL,)), id="the-quota-was-lowered-since"),
        pytest.param(
            seen(
                BATCH,
                a_neighbour("web", replicas=3, **(GREW | {"grown_at": ago(minutes=5)})),
                workload=SHORT.model_copy(update={"replicas": 2}),
            ),
            id="the-target-itself-grew-last-and-got-some",
        ),
    ],
)
def test_nobody_is_blamed_on_a_guess(snapshot: Snapshot) -> None:
    finding = found(snapshot)
    assert finding.resource == QUOTA.ref
    assert [hint.remedy for hint in finding.hints] == [Remedy.NONE]


def test_several_that_can_be_it_are_named_and_left_alone() -> None:
    other = a_neighbour("reports", **(GREW | {"grown_at": ago(minutes=7)}))
    finding = found(seen(BATCH, other))
    assert finding.resource == QUOTA.ref
    (hint,) = finding.hints
    assert hint.remedy is Remedy.NONE
    assert "batch" in hint.reason
    assert "reports" in hint.reason


def test_what_an_autoscaler_sets_is_for_a_person() -> None:
    scaled = a_neighbour("batch", autoscaler=a_ref("HorizontalPodAutoscaler", "batch"), **GREW)
    hint = found(seen(scaled)).hints[0]
    assert (hint.remedy, hint.object) == (Remedy.NONE, a_ref(name="batch"))
    assert "HorizontalPodAutoscaler shop/batch sets its replicas" in hint.reason


@pytest.mark.parametrize(
    ("newest_at", "first"),
    [
        pytest.param(ago(minutes=5), Remedy.ROLL_BACK, id="the-revision-came-last"),
        pytest.param(ago(minutes=30), Remedy.SCALE_BACK, id="the-neighbour-came-last"),
    ],
)
def test_what_came_last_is_taken_back_first(newest_at: Any, first: Remedy) -> None:
    before, after = a_template(resources={"limits": {"memory": "64Mi"}}), SHORT.template
    assert found(seen(BATCH, revisions=some_revisions(before, after, newest_at=newest_at))).hints[0].remedy is first
