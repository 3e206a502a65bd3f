"""Who may do what: tokens, rules, access reviews, short-lived tokens of service accounts."""

from typing import Any

import pytest
from kubernetes.client import ApiException
from tests.contract.embedded_cluster.conftest import Login, StartCluster
from tests.contract.embedded_cluster.kube import NAMESPACE, Kube, status_of
from tests.contract.embedded_cluster.manifests import a_deployment

READER = {
    "name": "reader",
    "token": "read-token",
    "rules": [{"verbs": ["get", "list"], "resources": ["pods", "deployments.apps"], "namespaces": ["default"]}],
}
MUTATOR = {"name": "system:serviceaccount:default:mutator", "rules": [{"verbs": ["patch"], "resources": ["deployments.apps"]}]}


def allowed(kube: Kube, verb: str, resource: str, group: str = "", namespace: str = NAMESPACE) -> bool:
    attributes = {"verb": verb, "resource": resource, "group": group, "namespace": namespace}
    review = kube.authorization.create_self_subject_access_review({"spec": {"resourceAttributes": attributes}})
    return bool(review.status.allowed)


def refused(call: Any, *args: Any, **more: Any) -> dict[str, Any]:
    with pytest.raises(ApiException) as caught:
        call(*args, **more)
    return status_of(caught.value)


def test_unknown_token_is_unauthorized(kube: Kube, login: Login) -> None:
    stranger = login(kube.url, "nobody")
    assert refused(stranger.core.list_namespaced_pod, NAMESPACE)["reason"] == "Unauthorized"


def test_user_may_do_what_its_rules_say_and_nothing_else(start: StartCluster, login: Login) -> None:
    kube = start(access={"users": [READER]})
    kube.deploy(a_deployment())
    reader = login(kube.url, "read-token")
    assert reader.deployment().metadata.name == "web"
    status = refused(reader.patch_deployment, {"spec": {"replicas": 2}})
    assert status["code"] == 403
    assert status["message"] == (
        'deployments.apps "web" is forbidden: User "reader" cannot patch resource "deployments" in API group "apps" '
        'in the namespace "default"'
    )
    assert refused(reader.core.list_namespaced_pod, "kube-system")["code"] == 403
    assert refused(reader.core.list_pod_for_all_namespaces)["code"] == 403


def test_access_review_answers_from_the_same_rules(start: StartCluster, login: Login) -> None:
    kube = start(access={"users": [READER]})
    reader = login(kube.url, "read-token")
    assert allowed(reader, "get", "deployments", "apps")
    assert not allowed(reader, "patch", "deployments", "apps")
    assert not allowed(reader, "get", "pods", namespace="kube-system")
    assert allowed(kube, "patch", "deployments", "apps")


def test_token_of_a_service_account_acts_as_that_account(start: StartCluster, login: Login) -> None:
    kube = start(access={"users": [MUTATOR]})
    kube.deploy(a_deployment())
    kube.core.create_namespaced_service_account(NAMESPACE, {"metadata": {"name": "mutator"}})
    request = {"spec": {"audiences": [], "expirationSeconds": 600}}
    minted = kube.core.create_namespaced_service_account_token("mutator", NAMESPACE, request)
    mutator = login(kube.url, minted.status.token)
    assert mutator.patch_deployment({"spec": {"replicas": 2}}).spec.replicas == 2
    assert refused(mutator.deployment)["code"] == 403


def test_token_that_is_not_granted_for_less_than_ten_minutes_or_bound_to_an_object(kube: Kube) -> None:
    kube.core.create_namespaced_service_account(NAMESPACE, {"metadata": {"name": "mutator"}})
    asked = kube.core.create_namespaced_service_account_token
    short = {"spec": {"audiences": [], "expirationSeconds": 60}}
    assert refused(asked, "mutator", NAMESPACE, short)["code"] == 422
    bound = {"spec": {"audiences": [], "boundObjectRef": {"kind": "Pod", "name": "web"}}}
    assert refused(asked, "mutator", NAMESPACE, bound)["code"] == 501
    assert refused(asked, "nobody", NAMESPACE, {"spec": {"audiences": []}})["code"] == 404


@pytest.mark.parametrize(("audiences", "code"), [([], 403), (["vault"], 401)], ids=["the server", "somebody else"])
def test_token_is_taken_by_whom_it_is_meant_for(kube: Kube, login: Login, audiences: list[str], code: int) -> None:
    kube.core.create_namespaced_service_account(NAMESPACE, {"metadata": {"name": "mutator"}})
    minted = kube.core.create_namespaced_service_account_token("mutator", NAMESPACE, {"spec": {"audiences": audiences}})
    assert refused(login(kube.url, minted.status.token).core.list_node)["code"] == code


def test_tokens_end_with_their_account(start: StartCluster, login: Login) -> None:
    kube = start(access={"users": [MUTATOR]})
    kube.core.create_namespaced_service_account(NAMESPACE, {"metadata": {"name": "mutator"}})
    minted = kube.core.create_namespaced_service_account_token("mutator", NAMESPACE, {"spec": {"audiences": []}})
    kube.core.delete_namespaced_service_account("mutator", NAMESPACE)
    assert refused(login(kube.url, minted.status.token).core.list_node)["reason"] == "Unauthorized"
