"""Which rights each account used, by the audit log, and whether deploy/rbac grants just these.

A full run of the drills writes them to lab/recorded_calls.json. That file is committed: a test holds the manifests to it, so
that a right which no drill needs, or a need which no right covers, is found without a lab.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tests.drills.audit.seen import Seen

ROOT: Final = Path(__file__).parents[3]
RECORDED: Final = ROOT / "lab" / "recorded_calls.json"
MANIFESTS: Final = ROOT / "deploy" / "rbac"

Rights = dict[str, list[str]]
"""Account (`opsmend-sre`, in whatever namespace) → `get pods/log`, `patch deployments.apps`, sorted."""


def used(log: Iterable[Seen]) -> Rights:
    """Whatever became of the calls: one that RBAC refused is a need that no right covers.

    Paths beside the resources (`/readyz`) take no right of ours.
    """
    found: dict[str, set[str]] = {}
    for one in log:
        if one.account and not one.call.resource.startswith("/"):
            found.setdefault(one.account.partition("/")[2], set()).add(f"{one.call.verb} {one.call.resource}")
    return {account: sorted(rights) for account, rights in sorted(found.items())}


def granted(folder: Path = MANIFESTS) -> Rights:
    """What the manifests bind to each account."""
    objects = [one for path in sorted(folder.glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())]
    rules = {one["metadata"]["name"]: one["rules"] for one in objects if one["kind"] in ("ClusterRole", "Role")}
    found: dict[str, set[str]] = {}
    for binding in objects:
        if binding["kind"] in ("ClusterRoleBinding", "RoleBinding"):
            for subject in binding["subjects"]:
                found.setdefault(subject["name"], set()).update(_rights(rules[binding["roleRef"]["name"]]))
    return {account: sorted(rights) for account, rights in sorted(found.items())}


def _rights(rules: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                plural, _, subresource = resource.partition("/")
                called = "/".join(filter(None, (".".join(filter(None, (plural, group))), subresource)))
                yield from (f"{verb} {called}" for verb in rule["verbs"])


def unlike(recorded: Rights, manifests: Rights) -> list[str]:
    """A sentence for each surplus and each lack."""
    found = []
    for account in sorted(recorded.keys() | manifests.keys()):
        needs, has = set(recorded.get(account, ())), set(manifests.get(account, ()))
        found += [f"{account} is granted `{right}`, which no drill used" for right in sorted(has - needs)]
        found += [f"{account} used `{right}`, which deploy/rbac does not grant" for right in sorted(needs - has)]
    return found


def recorded() -> Rights:
    found: Rights = json.loads(RECORDED.read_text())
    return found


def record(rights: Rights) -> None:
    RECORDED.write_text(json.dumps(rights, indent=1) + "\n")
