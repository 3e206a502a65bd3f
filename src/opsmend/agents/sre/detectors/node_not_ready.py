"""The node is the trouble: not Ready, or under pressure."""

from typing import Final

from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.notes import Notes
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.health import node_faults
from opsmend.domain.shared_cause import CauseKind, SharedCause
from opsmend.domain.snapshot import Node, Pod, Snapshot
from opsmend.domain.target import Kind, ObjectRef

FLAPPING = 3
"""A node that was lost so often within the life of its events (an hour by default) will be lost again."""


def detect(snapshot: Snapshot) -> list[Finding]:
    """Speaks of a node only if the alert is about it or if pods of the target sit on it and are not ready."""
    findings = []
    for node in snapshot.nodes:
        hurt = [
            pod for pod in snapshot.pods if pod.node == node.name and not pod.ready and pod.phase not in ("Succeeded", "Failed")
        ]
        asked_for = snapshot.target.kind is Kind.NODE and snapshot.target.name == node.name
        if (asked_for or hurt) and (node_faults(node) or (asked_for and _lost(snapshot, node) >= FLAPPING)):
            findings.append(_finding(snapshot, node, hurt))
    return findings


def _lost(snapshot: Snapshot, node: Node) -> int:
    return sum(e.count for e in snapshot.events if e.about == f"Node {node.name}" and e.reason in ("NodeNotReady", "Rebooted"))


def _finding(snapshot: Snapshot, node: Node, hurt: list[Pod]) -> Finding:
    ref = ObjectRef(kind=Kind.NODE, name=node.name)
    notes = Notes()
    for condition in node.conditions:
        if (condition.type == "Ready") != (condition.status == "True"):
            said = f"{condition.type} is {condition.status}: {condition.reason}: {condition.message}"
            notes.add(str(ref), said, condition.since)
    for event in snapshot.events:
        if event.about == f"Node {node.name}" and event.type == "Warning":
            notes.add_event(event)
    if hurt:
        notes.add(str(ref), f"pods on it that are not ready: {', '.join(pod.name for pod in hurt[:10])}")
    lost = _lost(snapshot, node)
    faults = "; ".join(node_faults(node)) or f"node {node.name} was lost {lost} times lately"
    not_ready = not node.ready
    return FAILURE.finding(
        resource=ref,
        summary=f"{faults}; {len(hurt)} pods of the target on it are not ready" if hurt else faults,
        confidence=0.95 if not_ready else 0.75,
        evidence=notes.evidence,
        hints=_hints(ref, node, lost),
        shared=SharedCause.of(CauseKind.NODE, ref),
    )


def _hints(ref: ObjectRef, node: Node, lost: int) -> tuple[Hint, ...]:
    repair = Hint(
        remedy=Remedy.NONE,
        object=ref,
        reason="kubelet, machine or network of the node need a person; its pods move by themselves",
    )
    if node.ready and lost >= FLAPPING and not node.unschedulable:
        reason = f"lost {lost} times and back: new pods should not land on it until a person found out why"
        return (Hint(remedy=Remedy.CORDON, object=ref, node=node.name, reason=reason), repair)
    return (repair,)


FAILURE: Final = FailureClass(
    name="node_not_ready",
    rank=0,
    detect=detect,
    seen_in="nodes",
    not_found="every node that pods of the target run on is Ready and without pressure",
    restart_is_useless="pods on a lost node cannot be stopped in an orderly way; Kubernetes moves them by itself",
    shared=CauseKind.NODE,
)
