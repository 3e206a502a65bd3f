"""Rights of the code as rules of the embedded cluster, as deploy/rbac would grant them."""

from collections.abc import Iterable

from opsmend.adapters.kubernetes.rights import Right
from opsmend_cluster.api.access import AccessRule


def rules_for(rights: Iterable[Right], namespace: str = "*") -> tuple[AccessRule, ...]:
    return tuple(
        AccessRule(
            verbs=frozenset({right.verb}),
            resources=frozenset({"/".join(filter(None, (right.resource.qualified, right.subresource)))}),
            namespaces=frozenset({namespace}),
        )
        for right in rights
    )
