"""What was changed around the target, from all that a snapshot tells of it: one list, newest first."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from opsmend.agents.sre.reading.revisions import newest_pods, what_it_brought
from opsmend.domain.changes import Author, FieldWrite, RecentChange, author_of, last_write
from opsmend.domain.health import PRESSURES
from opsmend.domain.snapshot import Condition, Event, Node, Pod, Revision, Snapshot
from opsmend.domain.target import Kind, ObjectRef

TELLING: Final = frozenset(
    {
        "ScalingReplicaSet",
        "SuccessfulRescale",
        "NodeNotReady",
        "NodeReady",
        "NodeNotSchedulable",
        "NodeSchedulable",
        "Rebooted",
        "TaintManagerEviction",
        "Evicted",
        "Preempted",
    }
)
"""Reasons of events that tell of a change and not of its symptoms."""

_SAME_WRITE: Final = timedelta(minutes=1)
"""The controller makes a revision within seconds of the write of its template."""
_ROLLOUT: Final = timedelta(minutes=10)
"""Kubernetes' own progressDeadlineSeconds: what a rollout scales and starts within it belongs to the rollout."""
_TOGETHER: Final = timedelta(minutes=5)
"""Pods that were created so close to each other were replaced together."""
_EVENTS_KEPT: Final = 3
"""Of one reason about one object; a busy autoscaler scales every minute."""
_WHAT_LIMIT: Final = 400

_SCALED: Final = re.compile(r"(?i)scaled (up|down) replica set (\S+)")
_KEPT_BY_NODES: Final = ("metadata.labels", "spec.taints")
"""Fields that Kubernetes itself writes on nodes, as it makes them: their conditions tell what it means."""


def recent_changes(snapshot: Snapshot) -> tuple[RecentChange, ...]:
    found = [
        *_revisions(snapshot),
        *_writes(snapshot),
        *_events(snapshot),
        *(change for node in snapshot.nodes for change in _conditions(node)),
        *_pods_replaced(snapshot),
    ]
    return tuple(sorted(found, key=lambda change: change.at, reverse=True))


def _revisions(snapshot: Snapshot) -> Iterator[RecentChange]:
    for older, revision in _successions(snapshot):
        write = _write_of(snapshot, revision)
        at = _shipped_at(older, revision, write)
        if snapshot.workload is None or at is None:
            continue
        cause = f" ({revision.change_cause})" if revision.change_cause else ""
        by = write.by if write else ""
        yield RecentChange(
            at=at,
            object=snapshot.workload.ref,
            what=f"revision {revision.number}{cause}: {what_it_brought(older, revision)}"[:_WHAT_LIMIT],
            fields=write.fields if write else (),
            by=by,
            author=author_of(by),
        )


def _successions(snapshot: Snapshot) -> Iterable[tuple[Revision, Revision]]:
    """Each revision but the first, with the one before it."""
    return pairwise(sorted(snapshot.revisions, key=lambda revision: revision.number))


def _write_of(snapshot: Snapshot, revision: Revision) -> FieldWrite | None:
    """The write of the template that made `revision`, as far as its manager has written nothing since."""
    writes = snapshot.workload.writes if snapshot.workload else ()
    template = [write for write in writes if write.holds("spec.template")]
    if revision is snapshot.revisions[0] and _was_returned_to(snapshot, revision):
        return last_write(template, "spec.template")
    made = revision.created_at
    return next((w for w in template if made and timedelta() <= made - w.at <= _SAME_WRITE), None)


def _was_returned_to(snapshot: Snapshot, revision: Revision) -> bool:
    """A ReplicaSet that a rollback took up again is older than those that it now outnumbers."""
    return any(r.created_at and revision.created_at and r.created_at > revision.created_at for r in snapshot.revisions)


def _shipped_at(older: Revision, revision: Revision, write: FieldWrite | None) -> datetime | None:
    if write:
        return write.at
    if older.created_at and revision.created_at and revision.created_at < older.created_at:
        return None
    return revision.created_at


def _writes(snapshot: Snapshot) -> Iterator[RecentChange]:
    for ref, writes in _written(snapshot):
        for write in writes:
            if _is_bookkeeping(ref, write):
                continue
            what = "created" if write.created else f"{', '.join(write.fields)} written"
            yield RecentChange(
                at=write.at,
                object=ref,
                what=what[:_WHAT_LIMIT],
                fields=write.fields,
                by=write.by,
                author=author_of(write.by),
            )


def _written(snapshot: Snapshot) -> Iterator[tuple[ObjectRef, tuple[FieldWrite, ...]]]:
    if snapshot.workload:
        shipped = [_write_of(snapshot, revision) for _, revision in _successions(snapshot)]
        yield snapshot.workload.ref, tuple(write for write in snapshot.workload.writes if write not in shipped)
    # An object that is both required and optional is referred to twice.
    yield from {config.ref: config.writes for config in snapshot.config}.items()
    for part in (snapshot.services, snapshot.autoscalers, snapshot.quotas):
        yield from ((thing.ref, thing.writes) for thing in part)
    yield from ((_node_ref(node), node.writes) for node in snapshot.nodes)


def _is_bookkeeping(ref: ObjectRef, write: FieldWrite) -> bool:
    if ref.kind is not Kind.NODE or author_of(write.by) is not Author.KUBERNETES:
        return False
    return write.created or all(field.startswith(_KEPT_BY_NODES) for field in write.fields)


def _events(snapshot: Snapshot) -> Iterator[RecentChange]:
    counts: dict[tuple[str, str], int] = {}
    for event in sorted(snapshot.events, key=lambda e: e.last_seen or snapshot.taken_at, reverse=True):
        ref, at = _about(snapshot, event), event.last_seen or event.first_seen
        if event.reason not in TELLING or ref is None or at is None or _is_of_a_rollout(snapshot, event, at):
            continue
        key = (event.about, event.reason)
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= _EVENTS_KEPT:
            what = f"{event.reason}: {event.message}"[:_WHAT_LIMIT]
            yield RecentChange(at=at, object=ref, what=what, by=event.source, author=Author.KUBERNETES)


def _about(snapshot: Snapshot, event: Event) -> ObjectRef | None:
    named, _, name = event.about.partition(" ")
    kind = next((known for known in Kind if known == named), None)
    if kind is None or not name:
        return None
    return ObjectRef(kind=kind, namespace="" if kind is Kind.NODE else snapshot.target.namespace, name=name)


def _is_of_a_rollout(snapshot: Snapshot, event: Event, at: datetime) -> bool:
    """Whether a revision that is told of itself explains it: the new ReplicaSet grows while it is young, older ones shrink."""
    scaled = _SCALED.search(event.message) if event.reason == "ScalingReplicaSet" else None
    revision = next((r for r in snapshot.revisions if scaled and r.name == scaled.group(2)), None)
    if scaled is None or revision is None:
        return False
    if scaled.group(1).lower() == "down":
        return revision is not snapshot.revisions[0]
    return revision.created_at is not None and at - revision.created_at <= _ROLLOUT


def _conditions(node: Node) -> Iterator[RecentChange]:
    for condition in node.conditions:
        told = _told(condition)
        if told and condition.since:
            yield RecentChange(at=condition.since, object=_node_ref(node), what=told, author=Author.KUBERNETES)


def _told(condition: Condition) -> str:
    reason = f" ({condition.reason})" if condition.reason else ""
    if condition.type == "Ready":
        return ("became Ready" if condition.status == "True" else "is not Ready since") + reason
    return f"has {condition.type} since{reason}" if condition.type in PRESSURES and condition.status == "True" else ""


def _pods_replaced(snapshot: Snapshot) -> Iterator[RecentChange]:
    """Pods of the current revision that are younger than its rollout: moved, deleted by hand, or added by a scaler."""
    made = snapshot.revisions[0].created_at if snapshot.revisions else None
    if snapshot.workload is None or made is None or _was_returned_to(snapshot, snapshot.revisions[0]):
        return
    young = [(pod.created_at, pod) for pod in newest_pods(snapshot) if pod.created_at and pod.created_at - made > _ROLLOUT]
    for at, pods in _grouped(young):
        nodes = ", ".join(sorted({pod.node for pod in pods if pod.node})) or "no node yet"
        count = f"{len(pods)} pods were" if len(pods) > 1 else "1 pod was"
        what = f"{count} created anew on {nodes}, of the same template as before"
        yield RecentChange(at=at, object=snapshot.workload.ref, what=what[:_WHAT_LIMIT], author=Author.KUBERNETES)


def _grouped(pods: Iterable[tuple[datetime, Pod]]) -> list[tuple[datetime, list[Pod]]]:
    groups: list[tuple[datetime, list[Pod]]] = []
    for at, pod in sorted(pods, key=lambda pair: (pair[0], pair[1].name)):
        if groups and at - groups[-1][0] <= _TOGETHER:
            groups[-1][1].append(pod)
        else:
            groups.append((at, [pod]))
    return groups


def _node_ref(node: Node) -> ObjectRef:
    return ObjectRef(kind=Kind.NODE, name=node.name)
