"""Only what was seen to be well is healthy; what moves or was not seen is inconclusive; the rest is unhealthy."""

from datetime import timedelta
from typing import Any

import pytest
from tests.builders import (
    NOW,
    a_baseline,
    a_condition,
    a_container,
    a_crashing_container,
    a_node,
    a_pod,
    a_ref,
    a_service,
    a_snapshot,
    a_target,
    a_template,
    a_termination,
    a_waiting_container,
    a_workload,
    ago,
    an_autoscaler,
)

from opsmend.domain.health import assess, baseline, worse_than
from opsmend.domain.snapshot import ServicePort
from opsmend.domain.verification import Health

READY = (a_pod(), a_pod("web-6d4cf-bbbbb"))


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(a_snapshot(), id="deployment-rolled-out"),
        pytest.param(a_snapshot(target=a_target("Service")), id="service-with-ready-endpoints"),
        pytest.param(
            a_snapshot(target=a_target("HorizontalPodAutoscaler"), autoscalers=(an_autoscaler(),)),
            id="autoscaler-has-its-replicas",
        ),
        pytest.param(a_snapshot(target=a_target("Node", "node-1"), workload=None, pods=()), id="node-ready"),
        pytest.param(
            a_snapshot(target=a_target("Pod", "once"), workload=None, pods=(a_pod("once", phase="Succeeded", containers=()),)),
            id="pod-completed",
        ),
        pytest.param(
            a_snapshot(target=a_target("Job", "nightly"), workload=None, pods=(a_pod("nightly-1", phase="Succeeded"),)),
            id="job-succeeded",
        ),
        pytest.param(
            a_snapshot(
                pods=(
                    a_pod(containers=[a_container(restarts=3, last_terminated=a_termination(finished_at=ago(hours=1)))]),
                    READY[1],
                )
            ),
            id="crashed-an-hour-ago-and-runs-since",
        ),
        pytest.param(
            a_snapshot(pods=(*READY, a_pod("web-old", deleting=True, containers=[a_crashing_container()]))),
            id="a-broken-pod-is-being-deleted",
        ),
        pytest.param(
            a_snapshot(pods=(*READY, a_pod("web-evicted", phase="Failed", reason="Evicted", containers=()))),
            id="an-evicted-pod-is-still-listed",
        ),
        pytest.param(
            a_snapshot(
                services=(a_service(), a_service("web-canary", selector={"app": "web", "track": "canary"}, ready_endpoints=0))
            ),
            id="a-canary-service-has-no-canary",
        ),
        pytest.param(
            a_snapshot(services=(a_service(ports=(ServicePort(port=80, target_port=9999),)),)),
            id="an-old-service-sends-to-an-undeclared-port",
        ),
    ],
)
def test_what_is_proven_well_is_healthy(snapshot: Any) -> None:
    judged = assess(snapshot)
    assert (judged.health, judged.reasons) == (Health.HEALTHY, ())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"workload": a_workload(generation=4)}, "generation 4", id="controller-has-not-seen-it"),
        pytest.param({"workload": a_workload(updated_replicas=1)}, "1 of 2 replicas are updated", id="rollout-moves"),
        pytest.param({"workload": a_workload(replicas=3)}, "older revision", id="old-replicas-left"),
        pytest.param({"workload": a_workload(available_replicas=1)}, "available", id="not-available-yet"),
        pytest.param({"workload": a_workload(paused=True)}, "paused", id="paused"),
        pytest.param({"pods": ()}, "0 of 2 pods were seen ready", id="pods-not-seen"),
        pytest.param({"workload": None}, "was not seen", id="workload-not-seen"),
        pytest.param(
            {"pods": (READY[0], a_pod("b", containers=[a_waiting_container("ContainerCreating")], created_at=ago(seconds=5)))},
            "not ready",
            id="container-starts",
        ),
        pytest.param(
            {
                "pods": (
                    READY[0],
                    a_pod(
                        "b", containers=[a_container(restarts=1, last_terminated=a_termination(finished_at=ago(seconds=10)))]
                    ),
                )
            },
            "restarted just now",
            id="up-again-for-ten-seconds",
        ),
        pytest.param(
            {
                "pods": (
                    READY[0],
                    a_pod(
                        "b",
                        containers=[
                            a_container(
                                restarts=9,
                                last_terminated=a_termination(started_at=ago(minutes=8), finished_at=ago(minutes=4)),
                            )
                        ],
                    ),
                )
            },
            "restarted just now",
            id="lived-four-minutes-last-time-and-four-now",
        ),
        pytest.param(
            {"workload": a_workload(desired_replicas=0), "pods": (), "services": ()},
            "runs no pods, as asked",
            id="zero-as-asked",
        ),
        pytest.param({"target": a_target("Node", "node-9"), "workload": None}, "was not seen", id="node-not-seen"),
        pytest.param(
            {"target": a_target("HorizontalPodAutoscaler"), "autoscalers": (an_autoscaler(desired_replicas=8),)},
            "wants 8 replicas",
            id="autoscaler-scales-up",
        ),
    ],
)
def test_what_moves_or_is_unseen_is_inconclusive(changes: dict[str, Any], reason: str) -> None:
    judged = assess(a_snapshot(**changes))
    assert judged.health is Health.INCONCLUSIVE
    assert any(reason in told for told in judged.reasons), judged.reasons


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"exists": False}, "does not exist", id="target-gone"),
        pytest.param(
            {"pods": (READY[0], a_pod("b", containers=[a_crashing_container()]))}, "CrashLoopBackOff", id="crash-loop"
        ),
        pytest.param(
            {"pods": (READY[0], a_pod("b", containers=[a_waiting_container("ImagePullBackOff")]))},
            "ImagePullBackOff",
            id="image",
        ),
        pytest.param(
            {"pods": (READY[0], a_pod("b", containers=[a_container(ready=False)]))},
            "not ready",
            id="running-for-long-but-unready",
        ),
        pytest.param(
            {"workload": a_workload(conditions=(a_condition("Progressing", "False", "ProgressDeadlineExceeded"),))},
            "stuck",
            id="rollout-stuck",
        ),
        pytest.param(
            {"workload": a_workload(conditions=(a_condition("ReplicaFailure", "True", "FailedCreate"),))},
            "cannot create",
            id="pods-refused",
        ),
        pytest.param({"workload": a_workload(desired_replicas=0), "pods": ()}, "expects some", id="zero-behind-a-service"),
        pytest.param(
            {"workload": a_workload(desired_replicas=0), "pods": (), "services": (), "autoscalers": (an_autoscaler(),)},
            "expects some",
            id="zero-under-an-autoscaler",
        ),
        pytest.param(
            {"services": (a_service(selector={"app": "wbe"}, ready_endpoints=0),)}, "selects none", id="service-selects-nothing"
        ),
        pytest.param(
            {"services": (a_service(ports=(ServicePort(port=80, target_port="web"),)),)}, "port web", id="named-port-missing"
        ),
        pytest.param(
            {"target": a_target("Service"), "services": (a_service(ready_endpoints=0, not_ready_endpoints=2),)},
            "no ready endpoint",
            id="service-without-ready-endpoints",
        ),
        pytest.param(
            {"target": a_target("Node", "node-1"), "workload": None, "nodes": (a_node(ready="Unknown"),)},
            "not Ready",
            id="node",
        ),
        pytest.param(
            {
                "target": a_target("Node", "node-1"),
                "workload": None,
                "nodes": (a_node(conditions=(a_condition("Ready"), a_condition("DiskPressure"))),),
            },
            "DiskPressure",
            id="node-under-pressure",
        ),
        pytest.param(
            {"target": a_target("Job", "nightly"), "workload": None, "pods": (a_pod("nightly-1", phase="Failed"),)},
            "failed",
            id="job-failed",
        ),
    ],
)
def test_a_fault_is_unhealthy_and_says_which(changes: dict[str, Any], reason: str) -> None:
    judged = assess(a_snapshot(**changes))
    assert judged.health is Health.UNHEALTHY
    assert any(reason in told for told in judged.reasons), judged.reasons


def test_crashing_pods_of_the_revision_being_replaced_only_delay_the_verdict() -> None:
    old = a_pod("web-5c8b9-a", revision_hash="5c8b9", containers=[a_crashing_container()])
    judged = assess(a_snapshot(pods=(*READY, old)))
    assert judged.health is Health.INCONCLUSIVE


def test_what_could_not_be_read_is_passed_on() -> None:
    assert assess(a_snapshot(unseen=("events: forbidden",))).unseen == ("events: forbidden",)


def test_baseline_counts_what_is_there() -> None:
    snapshot = a_snapshot(pods=(READY[0], a_pod("b", containers=[a_crashing_container(restarts=4)])))
    before = baseline(snapshot)
    assert (before.ready_replicas, before.desired_replicas, before.restarts, before.health) == (2, 2, 4, Health.UNHEALTHY)


@pytest.mark.parametrize(
    ("before", "changes", "worse"),
    [
        pytest.param({"ready_replicas": 2}, {"workload": a_workload(ready_replicas=1)}, True, id="fewer-ready"),
        pytest.param({"ready_replicas": 1}, {"workload": a_workload(ready_replicas=1)}, False, id="as-many-ready"),
        pytest.param(
            {"ready_replicas": 2, "restarts": 0},
            {"pods": (READY[0], a_pod("b", containers=[a_crashing_container()]))},
            True,
            id="crashes-where-nothing-crashed",
        ),
        pytest.param(
            {"ready_replicas": 2, "restarts": 5},
            {"pods": (READY[0], a_pod("b", containers=[a_crashing_container()]))},
            False,
            id="still-crashes",
        ),
        pytest.param({"ready_replicas": 0, "health": "healthy"}, {"exists": False}, True, id="was-well-is-gone"),
        pytest.param({"ready_replicas": 1}, {}, False, id="better"),
    ],
)
def test_worse_means_less_than_before(before: dict[str, Any], changes: dict[str, Any], worse: bool) -> None:
    assert worse_than(a_baseline(**before), a_snapshot(**changes)) is worse


def test_a_new_unready_pod_is_given_time_and_an_old_one_is_not() -> None:
    def judged(age: timedelta) -> Health:
        pod = a_pod("b", containers=[a_container(ready=False)], created_at=NOW - age, template=a_template())
        return assess(a_snapshot(pods=(READY[0], pod))).health

    assert judged(timedelta(seconds=20)) is Health.INCONCLUSIVE
    assert judged(timedelta(minutes=5)) is Health.UNHEALTHY


def test_target_without_any_workload_is_never_healthy() -> None:
    assert assess(a_snapshot(target=a_target("Group", "abc"), workload=None)).health is Health.INCONCLUSIVE
    assert a_ref("Node").namespace == ""
