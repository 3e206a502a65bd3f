"""A node is blamed only where it hurts, and health is a finding only when it is proven."""

from typing import Any

import pytest
from tests.builders import (
    a_condition,
    a_container,
    a_crashing_container,
    a_node,
    a_pod,
    a_snapshot,
    a_target,
    a_termination,
    ago,
    an_event,
)

from opsmend.agents.sre.detectors import healthy, node_not_ready
from opsmend.domain.diagnosis import Remedy
from opsmend.domain.snapshot import Snapshot

LOST = a_condition("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")


def about_node(**changes: Any) -> Snapshot:
    return a_snapshot(target=a_target("Node", "node-1"), workload=None, pods=(), nodes=(a_node(**changes),))


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        ((LOST,), "NodeStatusUnknown"),
        ((a_condition("Ready", "False", "KubeletNotReady", "container runtime network not ready"),), "KubeletNotReady"),
        ((a_condition("Ready"), a_condition("MemoryPressure", "True", "KubeletHasInsufficientMemory")), "MemoryPressure"),
        ((), "not Ready"),
    ],
)
def test_alert_about_a_node_names_its_condition_and_needs_a_person(conditions: Any, told: str) -> None:
    (finding,) = node_not_ready.detect(about_node(conditions=conditions))
    assert told in finding.summary
    assert (finding.category, finding.rank) == ("node_not_ready", 0)
    assert [hint.remedy for hint in finding.hints] == [Remedy.NONE]


def test_pods_on_a_lost_node_lead_to_it() -> None:
    hurt = a_pod("web-6d4cf-h", containers=[a_container(ready=False)])
    elsewhere = a_pod("web-6d4cf-w", node="node-2")
    snapshot = a_snapshot(pods=(hurt, elsewhere), nodes=(a_node(conditions=(LOST,)), a_node("node-2")))
    (finding,) = node_not_ready.detect(snapshot)
    assert finding.resource.name == "node-1"
    assert any("web-6d4cf-h" in evidence.excerpt for evidence in finding.evidence)


def test_node_that_comes_and_goes_is_cordoned() -> None:
    event = an_event("NodeNotReady", "Node node-1 status is now: NodeNotReady", about="Node node-1", count=4)
    (finding,) = node_not_ready.detect(about_node().model_copy(update={"events": (event,)}))
    assert [hint.remedy for hint in finding.hints] == [Remedy.CORDON, Remedy.NONE]


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(about_node(), id="node-is-well"),
        pytest.param(a_snapshot(nodes=(a_node(), a_node("node-7", conditions=(LOST,)))), id="a-lost-node-without-our-pods"),
        pytest.param(a_snapshot(pods=(a_pod(containers=[a_crashing_container()]),)), id="pods-crash-on-a-good-node"),
    ],
)
def test_node_is_not_blamed_without_cause(snapshot: Snapshot) -> None:
    assert node_not_ready.detect(snapshot) == []


def test_proven_health_is_a_finding_that_asks_for_nothing() -> None:
    (finding,) = healthy.detect(a_snapshot())
    assert (finding.category, finding.rank, finding.hints[0].remedy) == ("healthy", 9, Remedy.NONE)
    assert "is well" in finding.summary


def test_recovery_is_told() -> None:
    recovered = a_container(restarts=4, last_terminated=a_termination(finished_at=ago(minutes=30)))
    (finding,) = healthy.detect(a_snapshot(pods=(a_pod(containers=[recovered]), a_pod("b"))))
    assert "has recovered" in finding.summary


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(a_snapshot(pods=()), id="pods-unseen"),
        pytest.param(a_snapshot(pods=(a_pod(containers=[a_crashing_container()]), a_pod("b"))), id="a-crash"),
        pytest.param(a_snapshot(exists=False), id="gone"),
    ],
)
def test_unproven_health_is_no_finding(snapshot: Snapshot) -> None:
    assert healthy.detect(snapshot) == []


def test_health_is_less_sure_when_parts_were_not_seen() -> None:
    (seen,), (partly,) = healthy.detect(a_snapshot()), healthy.detect(a_snapshot(unseen=("events: forbidden",)))
    assert partly.confidence < seen.confidence
