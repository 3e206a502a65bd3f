"""Why no node takes a pod is reckoned from both sides, and undone where the revision asked for more."""

from typing import Any

import pytest
from tests.builders import (
    a_condition,
    a_failed_rollout,
    a_node,
    a_pending_pod,
    a_pod,
    a_ref,
    a_snapshot,
    a_taint,
    a_template,
    a_workload,
    ago,
    an_event,
)

from opsmend.agents.sre.detectors.unschedulable import detect
from opsmend.domain.diagnosis import Remedy
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Snapshot

FULL = "0/3 nodes are available: 1 Insufficient memory, 2 Insufficient cpu. preemption: 0/3 nodes are available"


def asking(cpu: str = "100m", memory: str = "128Mi", image: str = "shop/api:7", **spec: Any) -> JsonObject:
    return a_template(image, resources={"requests": {"cpu": cpu, "memory": memory}}, spec=spec)


def pending(template: JsonObject, message: str = "0/1 nodes are available", **changes: Any) -> Snapshot:
    pods = (a_pending_pod(message, template=template),)
    return a_snapshot(**({"workload": a_workload(template=template, ready_replicas=0), "pods": pods} | changes))


def hung(before: JsonObject, after: JsonObject, message: str = FULL, **changes: Any) -> Snapshot:
    old = a_pod("web-5c8b9-a", revision_hash="5c8b9", template=before)
    return a_failed_rollout(before, after, **({"pods": (a_pending_pod(message, template=after), old)} | changes))


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (FULL, "not enough memory is free; not enough cpu is free"),
        ("0/2 nodes are available: 2 Insufficient nvidia.com/gpu.", "not enough nvidia.com/gpu is free"),
        ("0/2 nodes are available: 2 node(s) had untolerated taint {dedicated: gpu}", "taints are not tolerated"),
        ("0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector", "labels do not match"),
        ("0/1 nodes are available: 1 node(s) were unschedulable", "cordoned"),
        ("pod has unbound immediate PersistentVolumeClaims", "volume"),
        ("0/1 nodes are available: 1 Too many pods", "full of pods"),
    ],
)
def test_schedulers_reasons_are_told_by_class(message: str, told: str) -> None:
    (finding,) = detect(pending(asking(), message))
    assert told in finding.summary
    assert finding.hints


def test_requests_that_the_revision_raised_go_back_alone_or_with_it() -> None:
    (finding,) = detect(hung(asking("100m"), asking("40")))
    back, lower = finding.hints
    assert (back.remedy, lower.remedy) == (Remedy.ROLL_BACK, Remedy.LOWER_REQUESTS)
    assert (lower.container, lower.cpu_request, lower.memory_request) == ("web", "100m", None)
    assert any("cpu 40 asked, 4 in all" in evidence.excerpt for evidence in finding.evidence)


def test_selector_that_the_revision_changed_goes_back() -> None:
    (finding,) = detect(hung(asking(), asking(nodeSelector={"disk": "nvme"})))
    assert finding.hints[0].remedy is Remedy.ROLL_BACK


DEDICATED = a_node(
    taints=(a_taint("dedicated", value="batch"),), taints_changed_at=ago(minutes=8), taints_changed_by="kubectl-taint"
)
UNTOLERATED = "0/1 nodes are available: 1 node(s) had untolerated taint {dedicated: batch}"
TOLERATES = [{"key": "dedicated", "operator": "Exists"}]


def test_toleration_that_the_revision_dropped_goes_back() -> None:
    (finding,) = detect(hung(asking(tolerations=TOLERATES), asking(), UNTOLERATED, nodes=(DEDICATED,)))
    assert finding.hints[0].remedy is Remedy.ROLL_BACK
    assert "tolerations" in finding.hints[0].reason


def test_taint_that_somebody_put_there_meanwhile_is_named_with_who_and_when_and_left() -> None:
    (finding,) = detect(pending(asking(), UNTOLERATED, nodes=(DEDICATED,)))
    (hint,) = finding.hints
    assert (hint.remedy, hint.object) == (Remedy.NONE, a_ref("Node", "node-1"))
    assert "dedicated=batch:NoSchedule, last changed by kubectl-taint at 2026-03-14 14:52:00 UTC" in hint.reason
    assert any("kubectl-taint" in evidence.excerpt for evidence in finding.evidence)


def test_a_revision_is_not_taken_back_where_the_one_before_would_find_no_node_either() -> None:
    (finding,) = detect(hung(asking("100m"), asking("200m"), UNTOLERATED, nodes=(DEDICATED,)))
    assert [hint.remedy for hint in finding.hints] == [Remedy.NONE]


def test_mistyped_selector_is_corrected_to_what_all_nodes_say() -> None:
    node = a_node(labels={"disk": "ssd"})
    (finding,) = detect(pending(asking(nodeSelector={"disk": "sdd"}), nodes=(node,)))
    (hint,) = finding.hints
    assert (hint.remedy, hint.node_selector) == (Remedy.CORRECT_PLACEMENT, {"disk": "ssd"})


def test_selector_is_not_guessed_between_two_values() -> None:
    nodes = (a_node(labels={"disk": "ssd"}), a_node("node-2", labels={"disk": "hdd"}))
    (finding,) = detect(pending(asking(nodeSelector={"disk": "sdd"}), nodes=nodes))
    assert [hint.remedy for hint in finding.hints] == [Remedy.NONE]


def test_node_that_only_its_cordon_keeps_away_is_proposed_and_said_so() -> None:
    nodes = (a_node(unschedulable=True), a_node("node-2", taints=(a_taint("dedicated", value="db"),)))
    (finding,) = detect(pending(asking(), nodes=nodes))
    (hint,) = finding.hints
    assert (hint.remedy, hint.node) == (Remedy.UNCORDON, "node-1")
    assert "reason" in hint.reason


def test_of_two_such_nodes_one_is_proposed() -> None:
    nodes = (a_node(unschedulable=True), a_node("node-2", unschedulable=True))
    (finding,) = detect(pending(asking(), nodes=nodes))
    (hint,) = finding.hints
    assert (hint.object.name, hint.node) == ("node-1", "node-1")
    assert "node-1" in hint.reason


def test_a_full_cluster_needs_a_person_and_gets_the_numbers() -> None:
    (finding,) = detect(pending(asking("500m", "1Gi"), FULL))
    (hint,) = finding.hints
    assert hint.remedy is Remedy.NONE
    assert "500m CPU and 1Gi memory" in hint.reason


def test_tolerations_and_affinity_are_understood() -> None:
    affinity = {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}]}]
            }
        }
    }
    template = asking(tolerations=[{"key": "dedicated", "operator": "Exists"}], affinity=affinity)
    nodes = (
        a_node("fits", labels={"zone": "b"}, taints=(a_taint("dedicated", value="db"),)),
        a_node("elsewhere", labels={"zone": "c"}),
    )
    (finding,) = detect(pending(template, FULL, nodes=nodes))
    said = {evidence.source: evidence.excerpt for evidence in finding.evidence}
    assert "nothing declared against it" in said["Node fits"]
    assert "node affinity" in said["Node elsewhere"]


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(a_snapshot(events=(an_event("FailedScheduling", FULL),)), id="an-old-event-all-pods-run"),
        pytest.param(
            pending(asking(), pods=(a_pending_pod(conditions=(a_condition("PodScheduled", "False", "SchedulingGated"),)),)),
            id="gated-on-purpose",
        ),
        pytest.param(pending(asking(), pods=(a_pending_pod(FULL, deleting=True),)), id="going-away"),
        pytest.param(pending(asking(), pods=(a_pending_pod(FULL, node="node-1"),)), id="placed-meanwhile"),
    ],
)
def test_abstains_when_no_pod_waits_for_a_node(snapshot: Snapshot) -> None:
    assert detect(snapshot) == []
