"""The manifests in deploy/rbac, made from rights.py: `python -m opsmend.adapters.kubernetes.rbac deploy/rbac` writes them."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import yaml

from opsmend.adapters.kubernetes.rights import AGENTS, ASK_FOR_TOKEN, CORDON, MEND, Right

HOME: Final = "opsmend"
"""The namespace of the agents' accounts."""
EXECUTOR: Final = "opsmend-executor"
"""What OPSMEND_KUBERNETES__EXECUTOR has to say for these manifests."""

_MEND: Final = "opsmend-mend"
_RBAC: Final = "rbac.authorization.k8s.io"

Manifest = dict[str, Any]


def manifests() -> dict[str, str]:
    """File name -> content."""
    return {"opsmend.yaml": _agents(), "namespace.yaml": _namespace(), "nodes.yaml": _nodes()}


def _agents() -> str:
    objects: list[Manifest] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME}}]
    for agent, rights in AGENTS.items():
        name = f"opsmend-{agent}"
        role = _role("ClusterRole", _named(name), rights)
        objects += [_account(_named(name, HOME)), role, _binding("ClusterRoleBinding", _named(name), role, _named(name, HOME))]
    objects.append(_role("ClusterRole", _named(_MEND), MEND))
    return _file(
        objects,
        "What each agent may do in the whole cluster: look, and nothing else. `kubectl apply -f deploy/rbac/opsmend.yaml`.",
        "The last role is bound to nobody here; namespace.yaml gives it to a namespace's executor.",
    )


def _namespace() -> str:
    mend = _role("ClusterRole", _named(_MEND), MEND)
    objects = [
        _account(_named(EXECUTOR)),
        _binding("RoleBinding", _named(EXECUTOR), mend, _named(EXECUTOR)),
        *_may_ask_for_token(_named(EXECUTOR)),
    ]
    return _file(
        objects,
        "Lets opsmend mend one namespace: `kubectl apply -n shop -f deploy/rbac/namespace.yaml`.",
        "The executor may carry the actions out, and opsmend-deployment may ask for a token of it that lives for ten minutes.",
    )


def _nodes() -> str:
    account = _named(f"{EXECUTOR}-nodes", HOME)
    cordon = _role("ClusterRole", _named("opsmend-cordon"), CORDON)
    objects = [
        _account(account),
        cordon,
        _binding("ClusterRoleBinding", _named("opsmend-cordon"), cordon, account),
        *_may_ask_for_token(account),
    ]
    return _file(
        objects,
        "Lets opsmend cordon and uncordon nodes: `kubectl apply -f deploy/rbac/nodes.yaml`. Leave it out if it shall not.",
    )


def _may_ask_for_token(account: Manifest) -> list[Manifest]:
    name = {**account, "name": f"{account['name']}-token"}
    role = _role("Role", name, (ASK_FOR_TOKEN,))
    role["rules"][0]["resourceNames"] = [account["name"]]
    return [role, _binding("RoleBinding", name, role, _named("opsmend-deployment", HOME))]


def _account(metadata: Manifest) -> Manifest:
    # No pod runs as one of these: tokens are asked for, never mounted.
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, "automountServiceAccountToken": False}


def _role(kind: str, metadata: Manifest, rights: Iterable[Right]) -> Manifest:
    return {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": metadata, "rules": _rules(rights)}


def _binding(kind: str, metadata: Manifest, role: Manifest, account: Manifest) -> Manifest:
    """An account without a namespace is of the one that the binding is applied to."""
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": kind,
        "metadata": metadata,
        "roleRef": {"apiGroup": _RBAC, "kind": role["kind"], "name": role["metadata"]["name"]},
        "subjects": [{"kind": "ServiceAccount", **account}],
    }


def _named(name: str, namespace: str = "") -> Manifest:
    return {"name": name, "namespace": namespace} if namespace else {"name": name}


def _rules(rights: Iterable[Right]) -> list[Manifest]:
    """A rule for each API group and set of verbs."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for right in rights:
        resource = "/".join(filter(None, (right.resource.plural, right.subresource)))
        verbs.setdefault((right.resource.group, resource), []).append(right.verb)
    rules: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), allowed in verbs.items():
        rules.setdefault((group, tuple(sorted(allowed))), []).append(resource)
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(allowed)}
        for (group, allowed), resources in sorted(rules.items())
    ]


def _file(objects: list[Manifest], *comments: str) -> str:
    told = "".join(f"# {line}\n" for line in (*comments, "Made by opsmend.adapters.kubernetes.rbac: do not edit."))
    return told + yaml.dump_all(objects, Dumper=_Plain, sort_keys=False, default_flow_style=None, width=128)


class _Plain(yaml.SafeDumper):
    """Names are repeated, not referred to."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


if __name__ == "__main__":
    for file_name, content in manifests().items():
        (Path(sys.argv[1]) / file_name).write_text(content)
