"""How the API server itself would name a request of ours: what its audit log, RBAC and a call ledger go by."""

from importlib.metadata import version
from typing import Final
from urllib.parse import quote

from opsmend.agents.work import Work
from opsmend.domain.call_ledger import ApiCall
from opsmend.domain.changes import OURSELVES

FIELD_MANAGER: Final = OURSELVES
"""What managedFields call us."""

_VERBS: Final = {"POST": "create", "PATCH": "patch"}

_OF_A_NAMESPACE: Final = frozenset({"status", "finalize"})
"""Subresources of a Namespace, which stand where a resource in it would."""

_PRODUCT: Final = f"opsmend/{version('opsmend')}"

_USER_AGENT_LIMIT: Final = 512
"""Characters. The API server's audit log cuts at 1024; the longest names that Kubernetes allows fit in here."""


def api_call(method: str, path: str, query: dict[str, str] | None = None) -> ApiCall:
    """Read off the path, as the server's RequestInfo does, so that nobody on the way has to say it and nobody can say it wrong.

    https://github.com/kubernetes/apiserver/blob/master/pkg/endpoints/request/requestinfo.go
    """
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"] and len(parts) > 2:
        group, rest = "", parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:
        group, rest = parts[1], parts[3:]
    else:
        return ApiCall(verb=method.lower(), resource=path)
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in _OF_A_NAMESPACE:
        namespace, rest = rest[1], rest[2:]
    resource = f"{rest[0]}.{group}" if group else rest[0]
    name = rest[1] if len(rest) > 1 else ""
    return ApiCall(
        verb=_VERBS.get(method) or ("get" if name else "list"),
        resource="/".join((resource, *rest[2:])),
        namespace=namespace,
        name=name,
        dry_run="dryRun" in (query or {}),
    )


def user_agent(work: Work | None) -> str:
    """`opsmend/0.1.0 (sre; incident:prod:shop:deployment:web:sre:1)`: the audit log alone says which workflow asked.

    What is no plain character in a workflow id (it is made of labels of alerts) is percent-encoded.
    """
    if work is None:
        return _PRODUCT
    return f"{_PRODUCT} ({work.agent}; {quote(work.workflow_id, safe='/:@')})"[:_USER_AGENT_LIMIT]
