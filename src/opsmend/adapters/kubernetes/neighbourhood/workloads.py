"""Workloads and their revisions."""

from typing import Any, Final

from opsmend.adapters.kubernetes.neighbourhood.changes import changes_between
from opsmend.adapters.kubernetes.neighbourhood.fields import (
    HASH_LABEL,
    applied_replicas,
    conditions_of,
    controller_of,
    last_write,
    moment,
    selector_text,
    text,
)
from opsmend.adapters.kubernetes.neighbourhood.writes import writes_of
from opsmend.adapters.kubernetes.reading import Reading
from opsmend.adapters.kubernetes.resources import CONTROLLER_REVISIONS
from opsmend.domain.actions.object_digest import LAST_APPLIED_ANNOTATION
from opsmend.domain.actions.workload_fields import desired_replicas, template_of
from opsmend.domain.record import JsonObject, digest
from opsmend.domain.snapshot import Revision, Workload
from opsmend.domain.target import Kind, ObjectRef
from opsmend.policy.redaction import redact_json

_STATUS_FIELDS: Final[dict[Kind, dict[str, str]]] = {
    Kind.DAEMON_SET: {
        "replicas": "currentNumberScheduled",
        "updated_replicas": "updatedNumberScheduled",
        "ready_replicas": "numberReady",
        "available_replicas": "numberAvailable",
    }
}
_USUAL_STATUS_FIELDS: Final = {
    "replicas": "replicas",
    "updated_replicas": "updatedReplicas",
    "ready_replicas": "readyReplicas",
    "available_replicas": "availableReplicas",
}


def workload_from(ref: ObjectRef, obj: JsonObject) -> Workload:
    """Redacted; `template_digest` is that of the true template."""
    spec, status, metadata = obj["spec"], obj.get("status", {}), obj["metadata"]
    changed_at, changed_by = last_write(obj, "spec")
    counts = {name: int(status.get(field) or 0) for name, field in _STATUS_FIELDS.get(ref.kind, _USUAL_STATUS_FIELDS).items()}
    annotations = {k: v for k, v in (metadata.get("annotations") or {}).items() if k != LAST_APPLIED_ANNOTATION}
    return Workload(
        ref=ref,
        uid=metadata.get("uid", ""),
        generation=metadata.get("generation", 0),
        observed_generation=status.get("observedGeneration", 0),
        desired_replicas=desired_replicas({**obj, "kind": str(ref.kind)}),
        applied_replicas=applied_replicas(obj),
        paused=spec.get("paused", False),
        labels=metadata.get("labels") or {},
        annotations={key: text(value) for key, value in annotations.items()},
        selector=(spec.get("selector") or {}).get("matchLabels") or {},
        template=redact_json(template_of(obj)),
        template_digest=digest(template_of(obj)),
        created_at=moment(metadata.get("creationTimestamp")),
        last_change_at=changed_at,
        last_change_by=changed_by,
        writes=writes_of(obj),
        conditions=conditions_of(obj),
        **counts,
    )


async def read_revisions(reading: Reading, ref: ObjectRef, workload: JsonObject) -> tuple[Revision, ...]:
    """Unredacted revisions without their changes, the current one first, then the newest.

    The current one need not have the highest number: a rollback's revision is renumbered only when the controller has seen it.
    """
    resource = Kind.REPLICA_SET if ref.kind is Kind.DEPLOYMENT else CONTROLLER_REVISIONS
    items = await reading.list(resource, ref.namespace, labels=selector_text(workload["spec"].get("selector") or {}))
    uid = workload["metadata"].get("uid")
    owned = [item for item in items if (controller_of(item) or {}).get("uid") == uid]
    from_item = _from_replica_set if ref.kind is Kind.DEPLOYMENT else _from_controller_revision
    current = digest(template_of(workload))
    revisions = [from_item(item) for item in owned]
    return tuple(sorted(revisions, key=lambda r: (r.template_digest == current, r.number), reverse=True))


def redacted(revisions: tuple[Revision, ...]) -> tuple[Revision, ...]:
    """The revisions as a snapshot shows them, each with what it changed against the one before it."""
    shown = [redact_json(revision.template) for revision in revisions]
    in_time = sorted(range(len(revisions)), key=lambda i: revisions[i].number)
    before = dict(zip(in_time[1:], in_time, strict=False))
    told = []
    for i, revision in enumerate(revisions):
        update: dict[str, Any] = {"template": shown[i]}
        if i in before:
            older = before[i]
            update["changes"] = changes_between(revisions[older].template, revision.template, shown[older], shown[i])
        told.append(revision.model_copy(update=update))
    return tuple(told)


def _from_replica_set(obj: JsonObject) -> Revision:
    metadata, template = obj["metadata"], obj["spec"]["template"]
    labels = {k: v for k, v in (template.get("metadata", {}).get("labels") or {}).items() if k != HASH_LABEL}
    template = {**template, "metadata": {**template.get("metadata", {}), "labels": labels}}
    annotations = metadata.get("annotations") or {}
    number = str(annotations.get("deployment.kubernetes.io/revision", "0"))
    return Revision(
        number=int(number) if number.isdigit() else 0,
        name=metadata["name"],
        created_at=moment(metadata.get("creationTimestamp")),
        template=template,
        template_digest=digest(template),
        replicas=obj.get("status", {}).get("replicas") or 0,
        ready_replicas=obj.get("status", {}).get("readyReplicas") or 0,
        change_cause=text(annotations.get("kubernetes.io/change-cause"), 256),
    )


def _from_controller_revision(obj: JsonObject) -> Revision:
    """Its data is a patch that replaces the template; how many pods run it, only the pods tell."""
    metadata = obj["metadata"]
    template = {k: v for k, v in obj["data"]["spec"]["template"].items() if k != "$patch"}
    return Revision(
        number=obj.get("revision", 0),
        name=metadata["name"],
        created_at=moment(metadata.get("creationTimestamp")),
        template=template,
        template_digest=digest(template),
        change_cause=text((metadata.get("annotations") or {}).get("kubernetes.io/change-cause"), 256),
    )
