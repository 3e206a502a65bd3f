"""The audit log tells each change once; faults strike as often as they were told to."""

import contextlib
import threading
from typing import Any

import httpx
import pytest
import urllib3
from kubernetes import client
from kubernetes.client import ApiException
from tests.contract.embedded_cluster.conftest import Login
from tests.contract.embedded_cluster.kube import NAMESPACE, Kube, status_of
from tests.contract.embedded_cluster.manifests import a_config_map, a_deployment

MERGE = "application/merge-patch+json"


def mutations(kube: Kube) -> list[tuple[str, str, str]]:
    return [(e["verb"], e["resource"], e["name"]) for e in kube.admin("GET", "audit?mutations=true")]


def test_audit_lists_real_changes_of_clients_only(kube: Kube) -> None:
    kube.deploy(a_deployment())
    kube.healthy()
    kube.deployment()
    kube.patch_deployment({"spec": {"replicas": 2}}, dry_run="All")
    kube.patch_deployment({"spec": {"replicas": 2}}, field_manager="opsmend")
    with pytest.raises(ApiException):
        kube.patch_deployment({"spec": {"replicas": -2}})
    assert mutations(kube) == [("create", "deployments.apps", "web"), ("patch", "deployments.apps", "web")]
    entries = kube.admin("GET", "audit")
    assert [(e["verb"], e["dry_run"], e["code"]) for e in entries] == [
        ("create", False, 201), ("patch", True, 200), ("patch", False, 200), ("patch", False, 422),
    ]  # fmt: skip
    patched = entries[2]
    assert patched["field_manager"] == "opsmend"
    assert patched["user"] == "system:anonymous"
    assert patched["body"] == '{"spec": {"replicas": 2}}'
    assert int(patched["resource_version"]) > 0
    assert kube.admin("GET", "requests")["verbs"]["patch"] == 3


def test_audit_has_every_request_once_whatever_came_of_it(kube: Kube, login: Login) -> None:
    kube.admin("POST", "faults", {"answer": 503, "path": "/pods", "requests": 1})
    for ask in (kube.core.list_namespaced_pod, kube.core.list_namespaced_pod, login(kube.url, "x").core.list_namespaced_pod):
        with contextlib.suppress(ApiException):
            ask(NAMESPACE)
    with pytest.raises(ApiException):
        kube.core.read_namespaced_pod("gone", NAMESPACE)
    httpx.get(f"{kube.url}/apis/networking.k8s.io/v1/namespaces/default/ingresses", trust_env=False)
    entries = [e for e in kube.admin("GET", "audit?reads=true") if e["verb"] in ("get", "list")]
    assert [(e["verb"], e["resource"], e["name"], e["code"]) for e in entries] == [
        ("list", "pods", "", 503), ("list", "pods", "", 200), ("list", "pods", "", 401), ("get", "pods", "gone", 404),
        ("list", "ingresses.networking.k8s.io", "", 501),
    ]  # fmt: skip


@pytest.mark.parametrize(("answer", "retry_after"), [(500, None), (503, None), (429, "7")])
def test_fault_strikes_the_next_requests_and_then_no_more(kube: Kube, answer: int, retry_after: str | None) -> None:
    kube.admin(
        "POST", "faults", {"answer": answer, "method": "GET", "path": "/deployments", "requests": 2, "retry_after_seconds": 7}
    )
    for _ in range(2):
        with pytest.raises(ApiException) as caught:
            kube.apps.list_namespaced_deployment(NAMESPACE)
        assert status_of(caught.value)["code"] == answer
        assert (caught.value.headers or {}).get("Retry-After") == retry_after
    kube.apps.list_namespaced_deployment(NAMESPACE)
    assert [f["hits"] for f in kube.admin("GET", "faults")] == [2]


def test_change_may_happen_though_its_answer_is_an_error(kube: Kube) -> None:
    kube.core.create_namespaced_config_map(NAMESPACE, a_config_map(a="1"))
    kube.admin("POST", "faults", {"answer": "late_500", "method": "PATCH", "requests": 1})
    with pytest.raises(ApiException):
        kube.core.patch_namespaced_config_map("settings", NAMESPACE, {"data": {"a": "2"}}, _content_type=MERGE)
    assert kube.core.read_namespaced_config_map("settings", NAMESPACE).data == {"a": "2"}


def test_connection_breaks_after_the_change_was_made(kube: Kube) -> None:
    kube.core.create_namespaced_config_map(NAMESPACE, a_config_map(a="1"))
    kube.admin("POST", "faults", {"answer": "disconnect", "method": "PATCH", "requests": 1})
    with pytest.raises((urllib3.exceptions.HTTPError, ApiException)):
        kube.core.patch_namespaced_config_map("settings", NAMESPACE, {"data": {"a": "2"}}, _content_type=MERGE)
    assert kube.core.read_namespaced_config_map("settings", NAMESPACE).data == {"a": "2"}


def test_hanging_request_runs_into_the_clients_timeout(kube: Kube) -> None:
    kube.admin("POST", "faults", {"answer": "hang", "path": "/configmaps", "requests": 1})
    with pytest.raises(urllib3.exceptions.HTTPError):
        kube.core.list_namespaced_config_map(NAMESPACE, _request_timeout=0.3)
    kube.core.list_namespaced_config_map(NAMESPACE, _request_timeout=5)


def test_of_two_writers_of_one_version_one_wins(kube: Kube) -> None:
    version = kube.core.create_namespaced_config_map(NAMESPACE, a_config_map(a="0")).metadata.resource_version
    outcomes: list[Any] = []

    def write(value: str) -> None:
        with client.ApiClient(client.Configuration(host=kube.url)) as api:
            patch = {"metadata": {"resourceVersion": version}, "data": {"a": value}}
            try:
                client.CoreV1Api(api).patch_namespaced_config_map("settings", NAMESPACE, patch, _content_type=MERGE)
                outcomes.append(200)
            except ApiException as error:
                outcomes.append(error.status)

    threads = [threading.Thread(target=write, args=(str(i),)) for i in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [200, 409, 409, 409]
