"""Pods wait because the scheduler finds no node for them."""

import re
from typing import Final

from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.failures import events_about
from opsmend.agents.sre.reading.notes import Notes
from opsmend.agents.sre.reading.placement import Obstacles, obstacles
from opsmend.agents.sre.reading.revisions import effective_differences, in_words, last_good, why_good
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.pod_requests import pod_requests
from opsmend.domain.quantity import as_cpu, as_memory
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Change, Pod, Revision, Snapshot, Workload
from opsmend.domain.target import Kind, ObjectRef

_CLASSES: Final = (
    ("not enough {0} is free", re.compile(r"(?i)insufficient ([\w./-]+)")),
    ("node labels do not match", re.compile(r"(?i)node affinity|node selector|match pod's node|nodeselector")),
    ("taints are not tolerated", re.compile(r"(?i)taint")),
    ("nodes are cordoned", re.compile(r"(?i)\bunschedulable\b")),
    ("a volume cannot be had there", re.compile(r"(?i)volume|persistentvolumeclaim")),
    ("ports of the node are taken", re.compile(r"(?i)free ports")),
    ("nodes are full of pods", re.compile(r"(?i)too many pods")),
    ("pods must keep apart or together", re.compile(r"(?i)pod (anti-)?affinity|topology spread")),
)
_PLACEMENT: Final = (
    "/spec/nodeSelector",
    "/spec/affinity",
    "/spec/tolerations",
    "/spec/topologySpread",
    "/spec/volumes",
    "/spec/overhead",
)


def detect(snapshot: Snapshot) -> list[Finding]:
    """Abstains once a pod has a node: what then keeps it waiting is another's to find."""
    waiting = [pod for pod in snapshot.pods if not pod.deleting and not pod.node and _refusal(pod) is not None]
    if not waiting:
        return []
    notes = Notes()
    said = ""
    for pod in waiting[:2]:
        notes.add(f"pod/{pod.name}", f"PodScheduled is False: {_refusal(pod)}")
        events = events_about(snapshot, [pod], "FailedScheduling")
        for event in events[-1:]:
            notes.add_event(event)
        said = f"{_refusal(pod) or ''}\n" + "\n".join(event.message for event in events[-1:])
    template: JsonObject = snapshot.workload.template if snapshot.workload else {"spec": waiting[0].spec}
    nodes = [obstacles(template, node) for node in snapshot.nodes]
    for node in nodes[:6]:
        notes.add(f"Node {node.node}", f"{node}{_who_tainted(snapshot, node)}")
    ref = snapshot.workload.ref if snapshot.workload else snapshot.target.ref
    hints = _hints(snapshot, template, nodes, said)
    why = _classes(said) or "; ".join(str(node) for node in nodes[:3])
    return [
        FAILURE.finding(
            resource=ref,
            summary=f"{len(waiting)} pods of {ref} find no node: {why}",
            confidence=0.9 if hints[0].remedy is not Remedy.NONE else 0.85,
            evidence=notes.evidence,
            hints=hints,
        )
    ]


def _refusal(pod: Pod) -> str | None:
    """The scheduler's message; None for pods that it did not refuse (gated ones among them)."""
    for condition in pod.conditions:
        if condition.type == "PodScheduled" and condition.status == "False" and condition.reason == "Unschedulable":
            return condition.message
    return None


def _classes(said: str) -> str:
    found = []
    for name, wording in _CLASSES:
        matches = [match.group(1) if match.groups() and match.group(1) else "" for match in wording.finditer(said)]
        found += [name.format(what.rstrip(".,")) for what in dict.fromkeys(matches)]
    return "; ".join(found)


def _hints(snapshot: Snapshot, template: JsonObject, nodes: list[Obstacles], said: str) -> tuple[Hint, ...]:
    workload = snapshot.workload
    if workload is None:
        return (Hint(remedy=Remedy.NONE, object=snapshot.target.ref, reason="a pod without a workload cannot be changed"),)
    hints: list[Hint] = []
    good = last_good(snapshot)
    if good and _would_be_placed(snapshot, good):
        hints += _undo_the_change(snapshot, workload, good)
    hints += _nearest_labels(snapshot, workload, nodes)
    hints += _cordoned(nodes)
    nothing = Hint(remedy=Remedy.NONE, object=workload.ref, reason=_what_is_lacking(template, nodes, said))
    return tuple(hints or _tainted(snapshot, nodes) or [nothing])


def _would_be_placed(snapshot: Snapshot, good: Revision) -> bool:
    """Whether nothing that is declared keeps its pods off every node: else going back helps nobody, whatever it changes."""
    return not snapshot.nodes or any(obstacles(good.template, node).none for node in snapshot.nodes)


def _undo_the_change(snapshot: Snapshot, workload: Workload, good: Revision) -> list[Hint]:
    """Going back if the newest revision asks for more, or for other nodes, than the one that was placed."""
    changes = effective_differences(good.template, workload.template)
    relevant = tuple(
        c for c in changes if c.path.startswith(_PLACEMENT) or "/resources/" in c.path or c.path.endswith("/hostPort")
    )
    if not relevant:
        return []
    digest = good.template_digest
    reason = f"{why_good(snapshot, good)} and was placed; the newest revision changed {in_words(relevant)}"
    back = Hint(remedy=Remedy.ROLL_BACK, object=workload.ref, revision=good.number, template_digest=digest, reason=reason)
    return [back, *_lower(workload, good, relevant)]


def _lower(workload: Workload, good: Revision, relevant: tuple[Change, ...]) -> list[Hint]:
    """The earlier requests alone, where these are all that changed and one container has them."""
    requests = [c for c in relevant if c.path.endswith(("/resources/requests/cpu", "/resources/requests/memory"))]
    containers = {c.path.split("/")[3] for c in requests}
    if len(requests) != len(relevant) or len(containers) != 1 or any(c.before is None for c in requests):
        return []
    values = {c.path.rpartition("/")[2]: c.before for c in requests}
    reason = (
        f"revision {good.number} was placed with {in_words(tuple(requests))} the other way round; the rest of the newest stays"
    )
    return [
        Hint(
            remedy=Remedy.LOWER_REQUESTS,
            object=workload.ref,
            container=containers.pop(),
            cpu_request=values.get("cpu"),
            memory_request=values.get("memory"),
            reason=reason,
        )
    ]


def _nearest_labels(snapshot: Snapshot, workload: Workload, nodes: list[Obstacles]) -> list[Hint]:
    """A selector whose value no node has is a mistyped one, if all nodes that know its key agree on another value."""
    wanted: dict[str, str] = dict((workload.template.get("spec") or {}).get("nodeSelector") or {})
    if not wanted or not nodes or any(not node.labels for node in nodes):
        return []
    corrected = dict(wanted)
    for key, value in wanted.items():
        offered = {node.labels[key] for node in snapshot.nodes if key in node.labels}
        if value in offered:
            continue
        if len(offered) != 1:
            return []
        corrected[key] = offered.pop()
    if corrected == wanted:
        return []
    reason = f"no node has {_pairs(wanted)}; every node that has the key says {_pairs(corrected)}"
    return [Hint(remedy=Remedy.CORRECT_PLACEMENT, object=workload.ref, node_selector=corrected, reason=reason)]


def _cordoned(nodes: list[Obstacles]) -> list[Hint]:
    """Nodes that only their cordon keeps from taking the pods, if no other node could."""
    free = [node.node for node in nodes if node.only_cordoned]
    if not free:
        return []
    reason = f"node {free[0]} could take the pods but for its cordon; somebody may have cordoned it for a reason: ask"
    return [Hint(remedy=Remedy.UNCORDON, object=ObjectRef(kind=Kind.NODE, name=free[0]), node=free[0], reason=reason)]


def _tainted(snapshot: Snapshot, nodes: list[Obstacles]) -> list[Hint]:
    """Taints that alone keep the pods off: somebody put them there for a reason, so only a person takes them away."""
    barred = [node for node in nodes if node.taints and node.model_copy(update={"taints": ()}).none]
    if not barred or any(node.none for node in nodes):
        return []
    first = barred[0]
    told = f"node {first.node} could take the pods but for its taint {', '.join(first.taints)}{_who_tainted(snapshot, first)}"
    ref = ObjectRef(kind=Kind.NODE, name=first.node)
    return [Hint(remedy=Remedy.NONE, object=ref, reason=f"{told}: a person has to remove it, or let the pods tolerate it")]


def _who_tainted(snapshot: Snapshot, node: Obstacles) -> str:
    """`, last changed by kubectl-taint at …`, as far as the node itself tells."""
    seen = next((known for known in snapshot.nodes if known.name == node.node), None)
    if not node.taints or seen is None or seen.taints_changed_at is None:
        return ""
    who = f" by {seen.taints_changed_by}" if seen.taints_changed_by else ""
    return f", last changed{who} at {seen.taints_changed_at:%Y-%m-%d %H:%M:%S} UTC"


def _what_is_lacking(template: JsonObject, nodes: list[Obstacles], said: str) -> str:
    requests = pod_requests(template)
    asked = f"{as_cpu(requests['cpu'])} CPU" if "cpu" in requests else "no CPU"
    asked += f" and {as_memory(requests['memory'])} memory" if "memory" in requests else " and no memory"
    open_nodes = sum(node.none for node in nodes)
    reason = f"each pod asks for {asked}; {open_nodes} of {len(nodes)} nodes have nothing declared against it"
    return f"{reason}: {_classes(said) or 'the scheduler gives no reason'}. A person adds room or changes the request"


def _pairs(labels: dict[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))


FAILURE: Final = FailureClass(
    name="unschedulable",
    rank=2,
    detect=detect,
    seen_in="pods",
    not_found="no pod waits for a node",
    restart_is_useless="the waiting pods would be replaced by pods that wait for the same reason",
    scaling_is_useless="more pods would wait for a node",
)
