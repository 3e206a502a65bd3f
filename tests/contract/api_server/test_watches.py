"""Watches: where they go on from, how they end, and what they say when they cannot go on."""

import json
import time
from typing import Any

import pytest
from kubernetes import watch
from kubernetes.client import ApiException
from tests.contract.api_server.answers import Answer, answer_of
from tests.contract.embedded_cluster.kube import Kube

MERGE = "application/merge-patch+json"
LONG_GONE = "1"
"""The first version of every cluster."""


def a_secret(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}}


def watched(kube: Kube, **query: Any) -> Answer:
    path = f"/api/v1/namespaces/{kube.namespace}/secrets"
    return answer_of(kube, "GET", path, **{"watch": "true", "timeoutSeconds": 1, **query})


def test_watch_goes_on_from_a_list_and_follows_the_selector(kube: Kube) -> None:
    core = kube.core
    core.create_namespaced_secret(kube.namespace, a_secret("a", app="web"))
    version = core.list_namespaced_secret(kube.namespace).metadata.resource_version
    core.create_namespaced_secret(kube.namespace, a_secret("b", app="web"))
    core.patch_namespaced_secret("a", kube.namespace, {"stringData": {"k": "v"}}, _content_type=MERGE)
    core.patch_namespaced_secret("a", kube.namespace, {"metadata": {"labels": {"app": "db"}}}, _content_type=MERGE)
    stream = watch.Watch().stream(
        core.list_namespaced_secret, kube.namespace, label_selector="app=web", resource_version=version, timeout_seconds=1
    )
    assert [(e["type"], e["object"].metadata.name) for e in stream] == [("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "a")]


def test_watch_from_a_version_that_is_no_longer_kept_says_expired_and_ends(aged: Kube) -> None:
    began = time.monotonic()
    answer = watched(aged, resourceVersion=LONG_GONE, timeoutSeconds=30)
    assert time.monotonic() - began < 10
    assert answer.status == 200
    (event,) = map(json.loads, answer.text.splitlines())
    assert event["type"] == "ERROR"
    status = event["object"]
    assert (status["kind"], status["code"], status["reason"]) == ("Status", 410, "Expired")
    assert status["message"].startswith("too old resource version: 1 (")


def test_client_library_raises_gone_for_an_expired_watch(aged: Kube) -> None:
    stream = watch.Watch().stream(
        aged.core.list_namespaced_secret, aged.namespace, resource_version=LONG_GONE, timeout_seconds=1
    )
    with pytest.raises(ApiException) as caught:
        list(stream)
    assert caught.value.status == 410


def test_watch_without_changes_ends_in_silence_after_its_time(kube: Kube) -> None:
    version = kube.core.list_namespaced_secret(kube.namespace).metadata.resource_version
    began = time.monotonic()
    answer = watched(kube, resourceVersion=version)
    assert (answer.status, answer.text) == (200, "")
    assert 0.9 < time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("query", "status"),
    [({"resourceVersion": "soon"}, 500), ({"timeoutSeconds": "soon"}, 400), ({"labelSelector": "a in (b"}, 400)],
    ids=["version", "timeout", "selector"],
)
def test_watch_that_asks_for_nonsense_is_refused_before_it_begins(kube: Kube, query: dict[str, str], status: int) -> None:
    answer = watched(kube, **query)
    assert (answer.status, answer.json["code"], answer.json["kind"]) == (status, status, "Status")
