"""Discovery documents: what kubectl and clients read first."""

from typing import Final

from opsmend_cluster.objects.kinds import RESOURCES, JsonObject, Resource

VERSION: Final = {
    "major": "1", "minor": "31", "gitVersion": "v1.31.0+opsmend-embedded", "gitCommit": "", "gitTreeState": "clean",
    "buildDate": "2024-08-13T07:28:49Z", "goVersion": "go1.22.5", "compiler": "gc", "platform": "linux/amd64",
}  # fmt: skip
"""The release whose wording of events and errors is followed."""

_SUBRESOURCE_KINDS: Final = {
    "scale": {"kind": "Scale", "group": "autoscaling", "version": "v1", "verbs": ["get", "patch", "update"]},
    "eviction": {"kind": "Eviction", "group": "policy", "version": "v1", "verbs": ["create"]},
    "token": {"kind": "TokenRequest", "group": "authentication.k8s.io", "version": "v1", "verbs": ["create"]},
    "log": {"kind": "Pod", "verbs": ["get"]},
}


def document(path: str) -> JsonObject | None:
    """The discovery document at `path`, None where there is none."""
    match [part for part in path.split("/") if part]:
        case ["version"]:
            return dict(VERSION)
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case ["apis"]:
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in _groups()]}
        case ["api", "v1"]:
            return _resource_list("v1")
        case ["apis", group] if group in _groups():
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group)}
        case ["apis", group, version] if any(r.group == group and r.version == version for r in RESOURCES):
            return _resource_list(f"{group}/{version}")
        case _:
            return None


def _groups() -> list[str]:
    return list(dict.fromkeys(r.group for r in RESOURCES if r.group))


def _group(name: str) -> JsonObject:
    versions = dict.fromkeys(r.version for r in RESOURCES if r.group == name)
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _resource_list(api_version: str) -> JsonObject:
    resources = [entry for r in RESOURCES if r.api_version == api_version for entry in _entries(r)]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": resources}


def _entries(resource: Resource) -> list[JsonObject]:
    main: JsonObject = {
        "name": resource.plural, "singularName": resource.kind.lower(), "namespaced": resource.namespaced,
        "kind": resource.kind, "verbs": list(resource.verbs),
    }  # fmt: skip
    if resource.short_names:
        main["shortNames"] = list(resource.short_names)
    if resource.categories:
        main["categories"] = list(resource.categories)
    entries = [main]
    for name in resource.subresources:
        shape = _SUBRESOURCE_KINDS.get(name, {"kind": resource.kind, "verbs": ["get", "patch", "update"]})
        entries.append({"name": f"{resource.plural}/{name}", "singularName": "", "namespaced": resource.namespaced, **shape})
    return entries
