"""OpenAPI v3, as far as kubectl needs it to see that the server validates fields itself. No schemas, no `kubectl explain`."""

from typing import Final

from opsmend_cluster.objects.kinds import RESOURCES, JsonObject, Resource

_FIELD_VALIDATION: Final = {"name": "fieldValidation", "in": "query", "schema": {"type": "string", "uniqueItems": True}}


def openapi_document(path: str) -> JsonObject | None:
    """The document at `path`, None where there is none."""
    if path == "/openapi/v3":
        roots = dict.fromkeys(_root(resource) for resource in RESOURCES)
        return {"paths": {root: {"serverRelativeURL": f"/openapi/v3/{root}"} for root in roots}}
    served = [resource for resource in RESOURCES if path == f"/openapi/v3/{_root(resource)}"]
    if not served:
        return None
    return {
        "openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.31.0"}, "components": {"schemas": {}},
        "paths": {_path(resource): {"patch": _patch(resource), "post": _patch(resource)} for resource in served},
    }  # fmt: skip


def _root(resource: Resource) -> str:
    return f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"


def _path(resource: Resource) -> str:
    inside = "namespaces/{namespace}/" if resource.namespaced else ""
    return f"/{_root(resource)}/{inside}{resource.plural}/{{name}}"


def _patch(resource: Resource) -> JsonObject:
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    return {"parameters": [_FIELD_VALIDATION], "responses": {}, "x-kubernetes-group-version-kind": kind}
