"""Which revision a pod belongs to, which earlier one demonstrably ran, and what the current one changed against it."""

import re
from datetime import datetime, timedelta
from typing import Any, Final

from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Change, Pod, Revision, Snapshot

RAN_LONG_ENOUGH: Final = timedelta(minutes=30)
"""A revision that was current for so long is taken to have worked: three times the default progress deadline of a rollout."""

_IGNORED: Final = frozenset(
    {
        "/metadata/annotations/kubectl.kubernetes.io~1restartedAt",
        "/metadata/creationTimestamp",
        "/metadata/labels/pod-template-hash",
    }
)
"""Differences that change nothing about what runs."""


_OF_VARIABLE: Final = re.compile(r"/env/[^/]+(?:/value)?$")
"""A whole variable too: where lists are told by position, one that is new is a change of its own."""


def belongs_to(pod: Pod, revision: Revision) -> bool:
    """ReplicaSets end in the pod's hash; a StatefulSet's pods carry the whole name of the ControllerRevision."""
    return bool(pod.revision_hash) and (revision.name == pod.revision_hash or revision.name.endswith(f"-{pod.revision_hash}"))


def template_of_pod(snapshot: Snapshot, pod: Pod) -> JsonObject:
    """The pod's own spec where it was read, else the template of its revision, else the workload's: what it was made from."""
    if pod.spec:
        return {"spec": pod.spec}
    revision = next((r for r in snapshot.revisions if belongs_to(pod, r)), None)
    if revision:
        return revision.template
    return snapshot.workload.template if snapshot.workload else {}


def newest_pods(snapshot: Snapshot) -> tuple[Pod, ...]:
    """The live pods of the current revision; all live pods where revisions cannot be told apart."""
    live = tuple(pod for pod in snapshot.pods if not pod.deleting)
    if not snapshot.revisions or not any(pod.revision_hash for pod in live):
        return live
    return tuple(pod for pod in live if belongs_to(pod, snapshot.revisions[0]))


def older_pods(snapshot: Snapshot) -> tuple[Pod, ...]:
    newest = newest_pods(snapshot)
    return tuple(pod for pod in snapshot.pods if not pod.deleting and pod not in newest)


def last_good(snapshot: Snapshot) -> Revision | None:
    """The newest earlier revision that differs from the current one and is known to have run.

    Known by ready replicas now, by having been current for RAN_LONG_ENOUGH, or, for lack of any of these, by being the only
    one there is to return to.
    """
    if not snapshot.revisions:
        return None
    current = snapshot.revisions[0]
    earlier = [r for r in snapshot.revisions[1:] if differences(r.template, current.template)]
    for revision in earlier:
        if revision.ready_replicas > 0 or any(pod.ready and belongs_to(pod, revision) for pod in snapshot.pods):
            return revision
    for revision in earlier:
        if _served_for(snapshot, revision) >= RAN_LONG_ENOUGH:
            return revision
    return earlier[0] if len(earlier) == 1 else None


def _served_for(snapshot: Snapshot, revision: Revision) -> timedelta:
    """How long it was the current one; zero where that cannot be told.

    A revision whose successor was created before it was itself was rolled back from: it is not known to be good.
    """
    position = snapshot.revisions.index(revision)
    successor = snapshot.revisions[position - 1]
    if revision.created_at is None or successor.created_at is None:
        return timedelta()
    return max(successor.created_at - revision.created_at, timedelta())


def first_ran(snapshot: Snapshot) -> datetime | None:
    """When the present template first ran: the start of the oldest of the newest revisions that differ by annotations only."""
    began = None
    for revision in snapshot.revisions:
        if effective_differences(revision.template, snapshot.revisions[0].template):
            break
        began = revision.created_at
    return began


def why_good(snapshot: Snapshot, revision: Revision) -> str:
    """In words, what shows that `revision` ran."""
    ready = sum(pod.ready and belongs_to(pod, revision) for pod in snapshot.pods) or revision.ready_replicas
    if ready:
        return f"revision {revision.number} still has {ready} ready pods"
    hours = _served_for(snapshot, revision).total_seconds() / 3600
    if hours >= RAN_LONG_ENOUGH.total_seconds() / 3600:
        return f"revision {revision.number} was current for {hours:.1f} h before"
    return f"revision {revision.number} is the one before"


def differences(before: JsonObject, after: JsonObject) -> tuple[Change, ...]:
    """What differs between two pod templates, list items with a name told apart by it; what changes nothing is left out."""
    old, new = _leaves(before), _leaves(after)
    paths = [path for path in dict.fromkeys([*old, *new]) if old.get(path) != new.get(path) and path not in _IGNORED]
    return tuple(Change(path=path, before=old.get(path), after=new.get(path)) for path in paths)


def effective_differences(before: JsonObject, after: JsonObject) -> tuple[Change, ...]:
    """`differences` without annotations: those a kubelet acts on live elsewhere in the template."""
    return tuple(c for c in differences(before, after) if not c.path.startswith("/metadata/annotations/"))


def what_it_brought(older: Revision, revision: Revision) -> str:
    """What `revision` changed, in words. Where all that differs is masked, the fields alone are named."""
    masked = tuple(change for change in revision.changes if "[redacted" in f"{change.before}{change.after}")
    changes = differences(older.template, revision.template) or masked
    return in_words(changes) if changes else "its pods were restarted, nothing else of the template changed"


def in_words(changes: tuple[Change, ...], limit: int = 4) -> str:
    """`containers/web/image: a → b; containers/web/env/MODE/value changed`, at most `limit` of them."""
    told = [_told(change) for change in changes]
    more = f" and {len(told) - limit} more" if len(told) > limit else ""
    return "; ".join(told[:limit]) + more


def _told(change: Change) -> str:
    """A variable's value is nobody's business here: it may be a secret under any name."""
    place = change.path.removeprefix("/spec/")
    if _OF_VARIABLE.search(change.path):
        return f"{place} {'added' if change.before is None else 'removed' if change.after is None else 'changed'}"
    return f"{place}: {change.before or '(absent)'} → {change.after or '(absent)'}"


def container_spec(pod_template: JsonObject, name: str) -> dict[str, Any] | None:
    """The container (init containers included) of a pod template, or of an object with a pod's `spec`."""
    spec = pod_template.get("spec") or {}
    containers: list[dict[str, Any]] = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    return next((c for c in containers if c.get("name") == name), None)


def _leaves(value: Any, path: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        parts = [(str(key).replace("~", "~0").replace("/", "~1"), item) for key, item in value.items()]
    elif isinstance(value, list):
        parts = [(str(item.get("name", i)) if isinstance(item, dict) else str(i), item) for i, item in enumerate(value)]
    else:
        return {} if value is None else {path: str(value)}
    leaves: dict[str, str] = {}
    for key, item in parts:
        leaves |= _leaves(item, f"{path}/{key}")
    return leaves
