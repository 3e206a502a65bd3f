"""What counts as the same object when a plan is checked against the world again, and the marker of our own changes.

The marker's value is `<plan hash>#<step id>`. Where several steps of one plan change the same object, their ids follow each
other, separated by commas: a later step must not make an earlier one look undone. An undo replaces the id that it takes back.
"""

from copy import deepcopy
from typing import Final

from opsmend.domain.record import JsonObject, digest

MARKER_ANNOTATION: Final = "opsmend.io/last-change"
"""Written in the same call as a change."""

LAST_APPLIED_ANNOTATION: Final = "kubectl.kubernetes.io/last-applied-configuration"
"""Where `kubectl apply` keeps the manifest that it was given."""

_BOOKKEEPING_ANNOTATIONS: Final = frozenset(
    {
        MARKER_ANNOTATION,
        LAST_APPLIED_ANNOTATION,
        "deployment.kubernetes.io/revision",
        # Counted by the API server itself at each change of a DaemonSet's template, so no plan can foretell it.
        "deprecated.daemonset.template.generation",
    }
)

_CONDITION_TAINTS: Final = "node.kubernetes.io/"
"""https://kubernetes.io/docs/reference/labels-annotations-taints/ lists them: not-ready, unreachable, unschedulable…"""


def content_of(obj: JsonObject) -> JsonObject:
    """What a person would call the content: status, versions and bookkeeping annotations left out. Shares values with `obj`."""
    content = {key: value for key, value in obj.items() if key not in ("status", "metadata")}
    metadata = obj.get("metadata", {})
    annotations = {k: v for k, v in (metadata.get("annotations") or {}).items() if k not in _BOOKKEEPING_ANNOTATIONS}
    if obj.get("kind") == "Node":
        content["spec"] = _without_condition_taints(content.get("spec") or {})
    content["metadata"] = {"labels": metadata.get("labels") or {}, "annotations": annotations}
    return content


def _without_condition_taints(spec: JsonObject) -> JsonObject:
    """A node's spec without the taints that the node controller derives from conditions and from cordoning: they are status."""
    taints = [taint for taint in spec.get("taints") or () if not str(taint.get("key")).startswith(_CONDITION_TAINTS)]
    return {key: value for key, value in spec.items() if key != "taints"} | ({"taints": taints} if taints else {})


def spec_digest(obj: JsonObject) -> str:
    """Digest of the content of `obj` (see content_of)."""
    return digest(content_of(obj))


def change_digest(before: JsonObject, after: JsonObject) -> str:
    """Digest of a change: the content of the object before and after it.

    Not of a JSON patch, whose order of operations depends on the hash seed of the process that computed it.
    """
    return digest([content_of(before), content_of(after)])


def marker_of(obj: JsonObject) -> str:
    """The marker of opsmend's last change on `obj`, empty when there is none."""
    annotations = obj.get("metadata", {}).get("annotations") or {}
    return str(annotations.get(MARKER_ANNOTATION, ""))


def has_marker(obj: JsonObject, marker: str) -> bool:
    """Whether the step that `marker` names changed `obj` and was not undone since."""
    plan_hash, step_id = _split(marker)
    on_object, steps = _split(marker_of(obj))
    return plan_hash == on_object and step_id in steps.split(",")


def with_marker(obj: JsonObject, marker: str, undone: str = "") -> JsonObject:
    """A copy of `obj` that says that the step of `marker` changed it, and that the step of `undone` is taken back."""
    plan_hash, step_id = _split(marker)
    on_object, steps = _split(marker_of(obj))
    kept = steps.split(",") if on_object == plan_hash else []
    ids = [step for step in kept if step not in (step_id, _split(undone)[1])] + [step_id]
    marked = deepcopy(obj)
    metadata = marked.setdefault("metadata", {})
    metadata["annotations"] = {**(metadata.get("annotations") or {}), MARKER_ANNOTATION: f"{plan_hash}#{','.join(ids)}"}
    return marked


def _split(marker: str) -> tuple[str, str]:
    plan_hash, _, steps = marker.rpartition("#")
    return plan_hash, steps
