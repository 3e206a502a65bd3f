"""A right as the HTTP request that needs it. Names are made up: RBAC is asked before it is looked whether the object exists."""

from dataclasses import dataclass, field
from typing import Any, Final

from opsmend.adapters.kubernetes import resources
from opsmend.adapters.kubernetes.resources import RESOURCES, Resource, collection_path

Json = dict[str, Any]

KNOWN: Final[dict[str, Resource]] = {
    found.qualified: found for found in (*RESOURCES.values(), *vars(resources).values()) if isinstance(found, Resource)
}
"""Every resource that the code knows, as RBAC messages call it."""

CHANGES: Final = ("create", "update", "patch", "delete", "deletecollection")

_METHODS: Final = {"create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE", "deletecollection": "DELETE"}
_OF_COLLECTIONS: Final = frozenset({"list", "watch", "create", "deletecollection"})
_TOKEN_REQUEST: Final[Json] = {
    "apiVersion": "authentication.k8s.io/v1",
    "kind": "TokenRequest",
    "spec": {"expirationSeconds": 600},
}


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def request(verb: str, resource: str, namespace: str, name: str = "opsmend-executor") -> Request:
    """`resource` with group and subresource, e.g. `pods/log`; `namespace` is left out where the resource lies in none."""
    qualified, _, subresource = resource.partition("/")
    path = collection_path(KNOWN[qualified], namespace)
    if subresource or verb not in _OF_COLLECTIONS:
        path += f"/{name}"
    if subresource:
        path += f"/{subresource}"
    if verb not in _METHODS:
        return Request("GET", path, {"watch": "true", "timeoutSeconds": "1"} if verb == "watch" else {})
    if subresource == "token":
        return Request("POST", path, body=_TOKEN_REQUEST)
    headers = {"Content-Type": "application/merge-patch+json"} if verb == "patch" else {}
    metadata = {} if verb == "deletecollection" else {"metadata": {"name": name}}
    return Request(_METHODS[verb], path, {"dryRun": "All"}, None if verb.startswith("delete") else metadata, headers)
