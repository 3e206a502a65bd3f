"""Which tokens an API server takes, and what we make of one that it does not."""

from typing import Any

import pytest
from tests.contract.api_server.answers import answer_of, refused
from tests.contract.api_server.sides import Side, adapter
from tests.contract.embedded_cluster.kube import Kube, eventually

from opsmend.adapters.kubernetes.access import ping
from opsmend.adapters.kubernetes.executors import NamespaceExecutor
from opsmend.adapters.kubernetes.reading import Reading
from opsmend.domain.target import Kind, ObjectRef
from opsmend.errors import ClusterCredentialError, ClusterForbiddenError

ACCOUNT = "mender"


def an_account(kube: Kube) -> None:
    kube.core.create_namespaced_service_account(kube.namespace, {"metadata": {"name": ACCOUNT}})


def mint(kube: Kube, **spec: Any) -> str:
    request = {"spec": {"audiences": [], **spec}}
    return str(kube.core.create_namespaced_service_account_token(ACCOUNT, kube.namespace, request).status.token)


def pods_seen_by(side: Side, token: str) -> dict[str, Any]:
    """The refusal to list pods: nobody granted the account anything."""
    return refused(side.login(token).core.list_namespaced_pod, side.kube.namespace)


def test_token_of_an_account_is_known_though_it_may_do_nothing(side: Side) -> None:
    an_account(side.kube)
    status = pods_seen_by(side, mint(side.kube))
    assert (status["code"], status["reason"]) == (403, "Forbidden")
    user = f"system:serviceaccount:{side.kube.namespace}:{ACCOUNT}"
    assert f'User "{user}" cannot list resource "pods"' in status["message"]


def test_token_for_somebody_else_is_not_taken(side: Side) -> None:
    an_account(side.kube)
    assert pods_seen_by(side, mint(side.kube, audiences=["vault"]))["reason"] == "Unauthorized"


def test_expired_token_is_not_taken(side: Side) -> None:
    an_account(side.kube)
    assert pods_seen_by(side, side.expired_token(ACCOUNT))["reason"] == "Unauthorized"


def test_unknown_token_opens_nothing_at_all(side: Side) -> None:
    stranger = side.login("nobody")
    for path in ("/version", "/api/v1/pods", "/apis/nothing.example.com/v1/things", "/nowhere"):
        answer = answer_of(stranger, "GET", path)
        assert (path, answer.status, answer.json["message"]) == (path, 401, "Unauthorized")


def test_token_ends_with_its_account(side: Side) -> None:
    """A real server may go by what it remembers for ten seconds."""
    an_account(side.kube)
    token = mint(side.kube)
    side.kube.core.delete_namespaced_service_account(ACCOUNT, side.kube.namespace)
    holder = side.login(token)
    eventually(lambda: answer_of(holder, "GET", "/api/v1/nodes").status == 401)


@pytest.mark.parametrize(
    ("seconds", "code", "why"),
    [
        (60, 422, "may not specify a duration less than 10 minutes"),
        (0, 422, "may not specify a duration less than 10 minutes"),
        (-1, 422, "may not specify a duration less than 10 minutes"),
        (2**33, 422, "may not specify a duration larger than 2^32 seconds"),
        ("soon", 400, "cannot unmarshal string into Go struct field TokenRequestSpec.spec.expirationSeconds of type int64"),
    ],
)
def test_token_for_too_short_or_too_long_is_not_granted(kube: Kube, seconds: Any, code: int, why: str) -> None:
    an_account(kube)
    path = f"/api/v1/namespaces/{kube.namespace}/serviceaccounts/{ACCOUNT}/token"
    answer = answer_of(kube, "POST", path, {"spec": {"expirationSeconds": seconds}})
    assert (answer.status, why in answer.json["message"]) == (code, True)
    if code == 422:
        details = answer.json["details"]
        assert (details["kind"], details["causes"][0]["field"]) == ("TokenRequest", "spec.expirationSeconds")


@pytest.mark.parametrize("which", ["unknown", "expired"])
async def test_we_say_that_our_credential_is_not_taken(side: Side, which: str) -> None:
    an_account(side.kube)
    token = side.expired_token(ACCOUNT) if which == "expired" else "nobody"
    async with adapter(side, token) as connection:
        with pytest.raises(ClusterCredentialError, match=r"HTTP 401: Unauthorized.*does not take our credential"):
            await ping(connection)


async def test_a_right_that_is_lacking_is_not_taken_for_a_bad_credential(side: Side) -> None:
    an_account(side.kube)
    async with adapter(side, mint(side.kube)) as connection:
        with pytest.raises(ClusterForbiddenError) as caught:
            await Reading(connection).list(Kind.POD, side.kube.namespace)
    assert not isinstance(caught.value, ClusterCredentialError)


async def test_change_by_an_executor_that_is_not_there_says_how_to_grant_it(side: Side) -> None:
    target = ObjectRef(kind=Kind.DEPLOYMENT, namespace=side.kube.namespace, name="web")
    async with adapter(side) as connection:
        with pytest.raises(ClusterForbiddenError, match=f'serviceaccounts "{ACCOUNT}" not found') as caught:
            await NamespaceExecutor(connection, ACCOUNT, "opsmend").grant(target)
    assert "kubectl apply" in str(caught.value)
