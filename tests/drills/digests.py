"""What people declare in a cluster, object by object, to tell what else a fix has touched."""

import hashlib
import json
from typing import Any, Final

from tests.drills.kubernetes import Kubernetes

Json = dict[str, Any]

_DECLARED: Final = (
    "/api/v1/configmaps",
    "/api/v1/namespaces",
    "/api/v1/nodes",
    "/api/v1/persistentvolumeclaims",
    "/api/v1/resourcequotas",
    "/api/v1/secrets",
    "/api/v1/serviceaccounts",
    "/api/v1/services",
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    "/apis/apps/v1/daemonsets",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/statefulsets",
    "/apis/autoscaling/v2/horizontalpodautoscalers",
    "/apis/batch/v1/cronjobs",
    "/apis/batch/v1/jobs",
    "/apis/networking.k8s.io/v1/networkpolicies",
    "/apis/policy/v1/poddisruptionbudgets",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/apis/rbac.authorization.k8s.io/v1/rolebindings",
    "/apis/rbac.authorization.k8s.io/v1/roles",
)
"""Pods, ReplicaSets, endpoints and events follow from these."""

_BOOKKEEPING: Final = ("deployment.kubernetes.io/", "autoscaling.alpha.kubernetes.io/", "node.alpha.kubernetes.io/")
"""Annotations that controllers keep for themselves."""

_OTHER_SUITES: Final = ("contract-", "escapes-")
"""How `make lab-contract` calls its namespaces, which come and go while drills play."""


async def digests(admin: Kubernetes, *, but: frozenset[str] = frozenset()) -> dict[str, str]:
    """`deployments/shop/web` → digest of all but its status and bookkeeping. `but`: namespaces and pools of nodes left out."""
    found = {}
    for path in _DECLARED:
        for item in (await admin.get(path))["items"]:
            metadata = item["metadata"]
            namespace = metadata.get("namespace", "")
            key = "/".join(filter(None, (path.rpartition("/")[2], namespace, metadata["name"])))
            if not _belongs_to_others(path, metadata, but):
                found[key] = _digest(item)
    return found


def _belongs_to_others(path: str, metadata: Json, but: frozenset[str]) -> bool:
    if path.endswith("/nodes"):
        return (metadata.get("labels") or {}).get("pool") in but
    # What has no namespace is called after the one that it is for.
    namespace = metadata.get("namespace") or metadata["name"]
    return namespace in but or namespace.startswith(_OTHER_SUITES)


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Keys of what was made, changed or deleted."""
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def _digest(item: Json) -> str:
    metadata = item["metadata"]
    annotations = metadata.get("annotations") or {}
    kept = {part: value for part, value in item.items() if part not in ("metadata", "status")}
    kept["labels"] = metadata.get("labels")
    kept["annotations"] = {k: v for k, v in annotations.items() if not k.startswith(_BOOKKEEPING)}
    if spec := kept.get("spec"):
        # The node controller keeps a taint for each bad condition: they are status.
        taints = [t for t in spec.get("taints") or () if not t["key"].startswith("node.kubernetes.io/")]
        kept["spec"] = {**spec, "taints": taints}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
