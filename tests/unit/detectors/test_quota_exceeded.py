"""A refusal by a quota is found by events or by the numbers, and only while pods are missing."""

import pytest
from tests.builders import (
    a_condition,
    a_failed_rollout,
    a_quota,
    a_snapshot,
    a_template,
    a_workload,
    ago,
    an_event,
    some_revisions,
)

from opsmend.agents.sre.detectors.quota_exceeded import detect
from opsmend.domain.diagnosis import Remedy
from opsmend.domain.snapshot import Event, Snapshot

QUOTA = a_quota(
    "team", hard={"limits.memory": "4Gi"}, used={"limits.memory": "3840Mi"}, changed_at=ago(minutes=9), changed_by="mia"
)
SHORT = a_workload(
    desired_replicas=5, replicas=3, ready_replicas=3, conditions=(a_condition("ReplicaFailure", reason="FailedCreate"),)
)


def refused(message: str) -> Event:
    return an_event("FailedCreate", message, about="ReplicaSet web-6d4cf", count=12)


EXCEEDED = refused(
    'Error creating: pods "web-6d4cf-x" is forbidden: exceeded quota: team, requested: limits.memory=512Mi, '
    "used: limits.memory=3840Mi, limited: limits.memory=4Gi"
)


def test_quota_is_named_with_its_numbers() -> None:
    roomier = a_template(resources={"limits": {"memory": "512Mi"}})
    workload = SHORT.model_copy(update={"template": roomier})
    snapshot = a_snapshot(
        workload=workload, quotas=(QUOTA,), events=(EXCEEDED,), revisions=some_revisions(roomier, hashes=("6d4cf",))
    )
    (finding,) = detect(snapshot)
    assert finding.resource == QUOTA.ref
    assert "3840Mi used of 4Gi" in finding.summary
    assert "lacks 2 pods" in finding.summary
    assert "mia" in finding.hints[-1].reason
    assert finding.confidence >= 0.9


@pytest.mark.parametrize(
    "message",
    [
        'pods "x" is forbidden: failed quota: compute: must specify limits.memory for: web',
        'pods "x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi',
        'pods "x" is forbidden: [minimum cpu usage per Pod is 100m, but request is 10m]',
    ],
)
def test_other_forms_of_refusal_count(message: str) -> None:
    (finding,) = detect(a_snapshot(workload=SHORT, events=(refused(message),)))
    assert finding.hints[-1].remedy is Remedy.NONE


def test_numbers_alone_suffice_when_the_event_is_gone() -> None:
    full = a_quota("pods", hard={"pods": "3"}, used={"pods": "3"})
    (finding,) = detect(a_snapshot(workload=SHORT, quotas=(full,)))
    assert "pods: 3 used of 3, 1 more needed" in finding.summary


def test_revision_that_asks_for_more_is_rolled_back() -> None:
    before = a_template(resources={"limits": {"memory": "256Mi"}})
    after = a_template(resources={"limits": {"memory": "4Gi"}})
    (finding,) = detect(
        a_failed_rollout(
            before, after, workload=SHORT.model_copy(update={"template": after}), quotas=(QUOTA,), events=(EXCEEDED,)
        )
    )
    assert [hint.remedy for hint in finding.hints] == [Remedy.ROLL_BACK, Remedy.NONE]
    assert "256Mi → 4Gi" in finding.hints[0].reason


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(a_snapshot(quotas=(QUOTA,), events=(EXCEEDED,)), id="all-pods-are-there"),
        pytest.param(a_snapshot(workload=SHORT, quotas=(a_quota(),)), id="there-is-room"),
        pytest.param(
            a_snapshot(workload=SHORT, events=(refused('pods "x" is forbidden: violates PodSecurity "restricted"'),)),
            id="another-no",
        ),
        pytest.param(
            a_snapshot(workload=SHORT, events=(EXCEEDED.model_copy(update={"about": "ReplicaSet cart-1"}),)),
            id="another-workload",
        ),
    ],
)
def test_abstains_unless_pods_are_missing_for_it(snapshot: Snapshot) -> None:
    assert detect(snapshot) == []
