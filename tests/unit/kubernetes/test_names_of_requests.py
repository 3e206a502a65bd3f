"""A request is called what the API server's audit log calls it, and says whose it is."""

from importlib.metadata import version

import pytest

from opsmend.adapters.kubernetes.requests import api_call, user_agent
from opsmend.agents.work import Work
from opsmend.domain.call_ledger import ApiCall, CallLedger

SHOP = "/api/v1/namespaces/shop"
APPS = "/apis/apps/v1/namespaces/shop"
OURS = f"opsmend/{version('opsmend')}"


@pytest.mark.parametrize(
    ("method", "path", "query", "call"),
    [
        ("GET", f"{SHOP}/pods", {}, ApiCall(verb="list", resource="pods", namespace="shop")),
        ("GET", f"{SHOP}/pods/web", {}, ApiCall(verb="get", resource="pods", namespace="shop", name="web")),
        ("GET", f"{SHOP}/pods/web/log", {}, ApiCall(verb="get", resource="pods/log", namespace="shop", name="web")),
        ("GET", f"{APPS}/deployments", {}, ApiCall(verb="list", resource="deployments.apps", namespace="shop")),
        ("GET", "/api/v1/nodes/n1", {}, ApiCall(verb="get", resource="nodes", name="n1")),
        ("GET", "/api/v1/pods", {}, ApiCall(verb="list", resource="pods")),
        ("GET", "/api/v1/namespaces", {}, ApiCall(verb="list", resource="namespaces")),
        ("GET", SHOP, {}, ApiCall(verb="get", resource="namespaces", name="shop")),
        ("GET", f"{SHOP}/status", {}, ApiCall(verb="get", resource="namespaces/status", name="shop")),
        (
            "GET",
            "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices",
            {},
            ApiCall(verb="list", resource="endpointslices.discovery.k8s.io", namespace="shop"),
        ),
        (
            "PATCH",
            f"{APPS}/deployments/web",
            {"fieldManager": "opsmend"},
            ApiCall(verb="patch", resource="deployments.apps", namespace="shop", name="web"),
        ),
        (
            "PATCH",
            f"{APPS}/deployments/web",
            {"dryRun": "All"},
            ApiCall(verb="patch", resource="deployments.apps", namespace="shop", name="web", dry_run=True),
        ),
        (
            "POST",
            f"{SHOP}/serviceaccounts/mender/token",
            {},
            ApiCall(verb="create", resource="serviceaccounts/token", namespace="shop", name="mender"),
        ),
        ("GET", "/version", {}, ApiCall(verb="get", resource="/version")),
    ],
)
def test_a_request_is_called_what_the_server_calls_it(method: str, path: str, query: dict[str, str], call: ApiCall) -> None:
    assert api_call(method, path, query) == call


def work(workflow_id: str) -> Work:
    return Work("sre", workflow_id, CallLedger())


def test_a_call_outside_of_any_incident_names_only_the_program() -> None:
    assert user_agent(None) == OURS


def test_a_call_names_agent_and_workflow() -> None:
    assert user_agent(work("incident:prod:shop:deployment:web:sre:1")) == (
        f"{OURS} (sre; incident:prod:shop:deployment:web:sre:1)"
    )


@pytest.mark.parametrize(
    "hostile",
    ["web\r\nX-Injected: 1", "web) evil/1 (deployment; other", "wéb", "\x1b[2J", "a" * 5000, "web\x00", "💥"],
)
def test_a_hostile_id_cannot_leave_its_place(hostile: str) -> None:
    sent = user_agent(work(f"incident:{hostile}"))
    assert len(sent) <= 512
    assert sent.isascii()
    assert sent.isprintable()
    inside = sent.removeprefix(f"{OURS} (sre; ").removesuffix(")")
    assert not set(inside) & set("() ;\r\n")


def test_the_longest_names_that_kubernetes_allows_fit_in() -> None:
    longest = f"incident:{'c' * 63}:{'n' * 63}:horizontalpodautoscaler:{'w' * 253}:deployment:100"
    assert user_agent(work(longest)).endswith(":deployment:100)")
