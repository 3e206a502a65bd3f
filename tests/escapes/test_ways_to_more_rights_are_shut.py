"""The usual ways from a little access to more: none is open to any account."""

from collections.abc import Callable
from typing import Any, Final

import httpx
import pytest

from opsmend.adapters.kubernetes.rbac import HOME
from tests.escapes.accounts import NAMES, Grounds
from tests.escapes.calls import Request

pytestmark = pytest.mark.safety

RBAC: Final = "/apis/rbac.authorization.k8s.io/v1"
DRY: Final = {"dryRun": "All"}
MERGE: Final = {"Content-Type": "application/merge-patch+json"}
EVERYTHING: Final = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]

Way = Callable[[str, str], Request]
"""By whom, and in which namespace."""


def posted(path: str, body: dict[str, Any], **query: str) -> Request:
    return Request("POST", path, DRY | query, body)


def patched(path: str, body: dict[str, Any]) -> Request:
    return Request("PATCH", path, DRY, body, MERGE)


def binding(account: str) -> dict[str, Any]:
    administrator = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    subject = {"kind": "ServiceAccount", "name": account, "namespace": HOME}
    return {"metadata": {"name": "more"}, "roleRef": administrator, "subjects": [subject]}


def pod(namespace: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "app", "image": "registry.lab/app:1"}
    return {"metadata": {"name": "more", "namespace": namespace}, "spec": {"containers": [container], **spec}}


def in_namespace(namespace: str, rest: str) -> str:
    return f"/api/v1/namespaces/{namespace}/{rest}"


def impersonating(**headers: str) -> Way:
    named = {f"Impersonate-{name.capitalize()}": value for name, value in headers.items()}
    return lambda account, namespace: Request("GET", in_namespace(namespace, "pods"), headers=named)


WAYS: Final[dict[str, Way]] = {
    "impersonate-an-administrator": impersonating(user="kubernetes-admin", group="system:masters"),
    "impersonate-a-controller": impersonating(user="system:serviceaccount:kube-system:clusterrole-aggregation-controller"),
    "impersonate-deployment": impersonating(user=f"system:serviceaccount:{HOME}:opsmend-deployment"),
    "bind-cluster-admin": lambda account, namespace: posted(f"{RBAC}/clusterrolebindings", binding(account)),
    "bind-cluster-admin-in-a-namespace": lambda account, namespace: posted(
        f"{RBAC}/namespaces/{namespace}/rolebindings", binding(account)
    ),
    "join-the-executors-binding": lambda account, namespace: patched(
        f"{RBAC}/namespaces/{namespace}/rolebindings/opsmend-executor", {"subjects": binding(account)["subjects"]}
    ),
    "make-a-role": lambda account, namespace: posted(
        f"{RBAC}/namespaces/{namespace}/roles", {"metadata": {"name": "more"}, "rules": EVERYTHING}
    ),
    "make-a-cluster-role": lambda account, namespace: posted(
        f"{RBAC}/clusterroles", {"metadata": {"name": "more"}, "rules": EVERYTHING}
    ),
    "widen-ones-own-role": lambda account, namespace: patched(f"{RBAC}/clusterroles/{account}", {"rules": EVERYTHING}),
    "widen-the-executors-role": lambda account, namespace: patched(f"{RBAC}/clusterroles/opsmend-mend", {"rules": EVERYTHING}),
    "exec-into-a-pod": lambda account, namespace: posted(in_namespace(namespace, "pods/web/exec"), {}, command="sh"),
    "exec-into-a-pod-by-get": lambda account, namespace: Request(
        "GET", in_namespace(namespace, "pods/web/exec"), {"command": "sh"}
    ),
    "attach-to-a-pod": lambda account, namespace: posted(in_namespace(namespace, "pods/web/attach"), {}),
    "forward-a-port": lambda account, namespace: posted(in_namespace(namespace, "pods/web/portforward"), {}),
    "add-a-debug-container": lambda account, namespace: patched(in_namespace(namespace, "pods/web/ephemeralcontainers"), {}),
    "run-a-pod": lambda account, namespace: posted(in_namespace(namespace, "pods"), pod(namespace)),
    "run-a-pod-as-another-account": lambda account, namespace: posted(
        in_namespace(namespace, "pods"), pod(namespace, serviceAccountName="opsmend-executor")
    ),
    "run-a-pod-beside-the-agents": lambda account, namespace: posted(
        in_namespace(HOME, "pods"), pod(HOME, serviceAccountName="opsmend-deployment")
    ),
    "evict-a-pod": lambda account, namespace: posted(in_namespace(namespace, "pods/web/eviction"), {}),
    "reach-a-pod-through-the-server": lambda account, namespace: Request("GET", in_namespace(namespace, "pods/web/proxy/")),
    "reach-a-service-through-the-server": lambda account, namespace: Request(
        "GET", in_namespace(namespace, "services/web/proxy/")
    ),
    "reach-the-kubelet": lambda account, namespace: Request("GET", "/api/v1/nodes/node1/proxy/pods"),
    "run-through-the-kubelet": lambda account, namespace: posted("/api/v1/nodes/node1/proxy/run/a/b/c", {}),
    "make-a-lasting-token": lambda account, namespace: posted(
        in_namespace(HOME, "secrets"),
        {
            "metadata": {"name": "more", "annotations": {"kubernetes.io/service-account.name": "opsmend-deployment"}},
            "type": "kubernetes.io/service-account-token",
        },
    ),
    "make-an-account": lambda account, namespace: posted(
        in_namespace(namespace, "serviceaccounts"), {"metadata": {"name": "more"}}
    ),
    "ask-for-a-client-certificate": lambda account, namespace: posted(
        "/apis/certificates.k8s.io/v1/certificatesigningrequests", {"metadata": {"name": "more"}}
    ),
    "stand-in-the-way-of-others": lambda account, namespace: posted(
        "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", {"metadata": {"name": "more"}}
    ),
    "scale-by-the-subresource": lambda account, namespace: patched(
        f"/apis/apps/v1/namespaces/{namespace}/deployments/web/scale", {"spec": {"replicas": 0}}
    ),
    "write-a-status": lambda account, namespace: patched(
        f"/apis/apps/v1/namespaces/{namespace}/deployments/web/status", {"status": {}}
    ),
    "read-the-servers-own-metrics": lambda account, namespace: Request("GET", "/metrics"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("account", NAMES)
def test_a_way_to_more_is_shut(grounds: Grounds, account: str, way: str) -> None:
    answer = grounds.answer(account, WAYS[way](account, grounds.own))
    assert (answer.status_code, answer.json()["reason"]) == (httpx.codes.FORBIDDEN, "Forbidden")
