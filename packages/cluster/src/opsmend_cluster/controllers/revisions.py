"""ControllerRevisions: the template history of StatefulSets and DaemonSets."""

from copy import deepcopy
from typing import Final

from opsmend_cluster.controllers.owned import owned, owner_reference
from opsmend_cluster.controllers.pod_maker import MANAGER
from opsmend_cluster.controllers.templates import template_hash
from opsmend_cluster.objects.kinds import CONTROLLER_REVISIONS, JsonObject
from opsmend_cluster.objects.store import Store
from opsmend_cluster.writes.deletion import delete
from opsmend_cluster.writes.registry import Registry, Writer

REVISION_HASH: Final = "controller-revision-hash"


def current_revision(registry: Registry, owner: JsonObject, in_use: set[str]) -> str:
    """The name of the revision of the owner's template, newest in number; made or renumbered if need be.

    `in_use` names revisions that pods still run, which are kept whatever the history limit.
    """
    history = sorted(owned(registry.store, CONTROLLER_REVISIONS, owner), key=lambda r: r["revision"])
    data = {"spec": {"template": {**deepcopy(owner["spec"]["template"]), "$patch": "replace"}}}
    newest = max((r["revision"] for r in history), default=0)
    same = next((r for r in history if r["data"] == data), None)
    metadata = owner["metadata"]
    if same is None:
        pod_hash = template_hash(owner["spec"]["template"])
        annotations = {k: v for k, v in (metadata.get("annotations") or {}).items() if "last-applied" not in k}
        body = {
            "metadata": {
                "name": f"{metadata['name']}-{pod_hash}", "ownerReferences": [owner_reference(owner)],
                "annotations": annotations,
                "labels": {**(owner["spec"]["selector"].get("matchLabels") or {}), REVISION_HASH: pod_hash},
            },
            "data": data, "revision": newest + 1,
        }  # fmt: skip
        same = registry.create(CONTROLLER_REVISIONS, metadata["namespace"], body, Writer(MANAGER))
    elif same["revision"] != newest:
        same = registry.update(CONTROLLER_REVISIONS, same, {**same, "revision": newest + 1}, Writer(MANAGER))
    name = str(same["metadata"]["name"])
    _forget_old(registry.store, owner, history, {*in_use, name})
    return name


def _forget_old(store: Store, owner: JsonObject, history: list[JsonObject], kept: set[str]) -> None:
    idle = [r for r in history if r["metadata"]["name"] not in kept]
    for revision in idle[: max(0, len(idle) - int(owner["spec"]["revisionHistoryLimit"]))]:
        delete(store, CONTROLLER_REVISIONS, revision, {})
