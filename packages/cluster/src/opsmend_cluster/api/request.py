"""What a request asks for, read off its method, path and query."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from opsmend_cluster.objects.kinds import BY_PATH, EVENTS, LACKING, NAMESPACES, RESOURCES, Resource, is_known
from opsmend_cluster.objects.status import ApiError, Cause, NoSuchPageError, bad_request, invalid_options, not_implemented

_VERBS: Final = {"PUT": "update", "PATCH": "patch"}
_FIELD_VALIDATIONS: Final = ("Ignore", "Strict", "Warn")
_TRUE: Final = frozenset({"true", "1", "t", "True", "TRUE"})


@dataclass(frozen=True)
class ResourceRequest:
    """A request for a resource; `name` is empty for a collection, `namespace` for all namespaces and cluster-wide kinds."""

    verb: str
    resource: Resource
    namespace: str
    name: str
    subresource: str
    query: Mapping[str, str]

    @property
    def dry_run(self) -> bool:
        """Raises:
        ApiError: 400, a value other than All.
        """
        value = self.query.get("dryRun", "")
        if value not in ("", "All"):
            raise bad_request(f'Invalid value: ["{value}"]: dryRun: Unsupported value: supported values: "All"')
        return value == "All"

    @property
    def field_validation(self) -> str:
        """What to do about unknown fields: Ignore, Warn or Strict.

        Raises:
            ApiError: 422, another value.
        """
        value = self.query.get("fieldValidation") or "Warn"
        if value not in _FIELD_VALIDATIONS:
            supported = ", ".join(f'"{known}"' for known in ("", *_FIELD_VALIDATIONS))
            cause = Cause(
                "fieldValidation", "FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {supported}'
            )
            raise invalid_options("PatchOptions" if self.verb == "patch" else f"{self.verb.title()}Options", [cause])
        return value

    def flag(self, name: str) -> bool:
        return self.query.get(name, "") in _TRUE


@dataclass(frozen=True)
class Asked:
    """What a path says, whether anybody serves it or not: this is what is authorized and audited."""

    verb: str
    group: str
    version: str
    plural: str
    namespace: str
    name: str
    subresource: str

    @property
    def qualified(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


def asked(method: str, path: str, query: Mapping[str, str]) -> Asked | None:
    """None for a path that can lead to no resource."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"] and len(parts) > 1:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 2:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2 and rest[2] not in NAMESPACES.subresources:
        namespace, rest = rest[1], rest[2:]
    plural, name = [*rest, "", ""][:2]
    return Asked(_verb(method, name, query), group, version, plural, namespace, name, "/".join(rest[2:]))


def parse(what: Asked, query: Mapping[str, str]) -> ResourceRequest:
    """Raises:
    ApiError: 404, a version that no server has; 501, a group, resource or subresource that is lacking here.
    """
    resource = _resource(what.group, what.version, what.plural)
    if what.subresource and what.subresource not in resource.subresources:
        raise not_implemented(f"subresource {resource.qualified}/{what.subresource}")
    return ResourceRequest(what.verb, resource, what.namespace, what.name, what.subresource, query)


def _resource(group: str, version: str, plural: str) -> Resource:
    resource = BY_PATH.get((group, version, plural))
    if resource is not None:
        return resource
    api_version = f"{group}/{version}" if group else version
    if any(r.api_version == api_version for r in RESOURCES):
        raise not_implemented(f"resource {plural!r} of {api_version}")
    if not is_known(group):
        raise NoSuchPageError()
    if api_version not in LACKING:
        raise ApiError(404, "NotFound", "the server could not find the requested resource", {})
    hint = " (events are served as v1)" if group == EVENTS.qualified + ".k8s.io" else ""
    raise not_implemented(f"API group and version {api_version}{hint}")


def _verb(method: str, name: str, query: Mapping[str, str]) -> str:
    if method in ("GET", "HEAD"):
        if query.get("watch", "") in _TRUE:
            return "watch"
        return "get" if name else "list"
    if method == "POST":
        return "create"
    if method == "DELETE":
        return "delete" if name else "deletecollection"
    return _VERBS.get(method, method.lower())
