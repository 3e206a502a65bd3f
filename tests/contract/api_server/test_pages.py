"""Long lists come in pages, all of which show the moment of the first."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.contract.api_server.answers import Answer, answer_of, refused
from tests.contract.api_server.pods import a_waiting_pod, until_pods_are_taken
from tests.contract.api_server.sides import Side, adapter
from tests.contract.embedded_cluster.kube import Kube

from opsmend.adapters.kubernetes.namespaces import KubernetesNamespaces
from opsmend.adapters.kubernetes.reading import MOST_OBJECTS, Reading
from opsmend.domain.target import Kind

MANY = 2000
AT_ONCE = 8


def create(kube: Kube, names: list[str]) -> None:
    """Secrets."""
    for name in names:
        kube.core.create_namespaced_secret(kube.namespace, {"metadata": {"name": name, "labels": {"app": "web"}}})


def listed(kube: Kube, plural: str = "secrets", **query: Any) -> Answer:
    return answer_of(kube, "GET", f"/api/v1/namespaces/{kube.namespace}/{plural}", **query)


def names(answer: Answer) -> list[str]:
    return [item["metadata"]["name"] for item in answer.json["items"]]


def as_of(token: str, version: int) -> str:
    """`token` made for another version. Tokens are opaque to clients; both sides encode them alike."""
    content = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    return base64.urlsafe_b64encode(json.dumps({**content, "rv": version}).encode()).rstrip(b"=").decode()


def test_long_list_comes_in_pages_that_say_how_much_is_left(kube: Kube) -> None:
    create(kube, [f"c{i}" for i in range(5)])
    found, token, remaining = [], "", []
    while True:
        page = kube.core.list_namespaced_secret(kube.namespace, limit=2, _continue=token)
        found.append([item.metadata.name for item in page.items])
        remaining.append(page.metadata.remaining_item_count)
        token = page.metadata._continue
        if not token:
            break
    assert found == [["c0", "c1"], ["c2", "c3"], ["c4"]]
    assert remaining == [3, 1, None]


def test_how_much_is_left_of_a_selection_is_not_said(kube: Kube) -> None:
    create(kube, ["a", "b", "c"])
    metadata = listed(kube, limit=1, labelSelector="app=web").json["metadata"]
    assert metadata["continue"]
    assert "remainingItemCount" not in metadata


def test_later_pages_show_what_was_there_when_the_first_was_read(kube: Kube) -> None:
    create(kube, ["a", "c", "d"])
    first = listed(kube, limit=1).json["metadata"]
    kube.core.delete_namespaced_secret("d", kube.namespace)
    create(kube, ["b"])
    rest = listed(kube, **{"continue": first["continue"]})
    assert names(rest) == ["c", "d"]
    assert rest.json["metadata"]["resourceVersion"] == first["resourceVersion"]
    assert names(listed(kube)) == ["a", "b", "c"]


@pytest.mark.parametrize("token", ["garbage", "Z2FyYmFnZQ", "eyJ2IjoieCJ9", "e30", "W10"])
def test_token_that_no_server_gave_out_is_refused(kube: Kube, token: str) -> None:
    status = refused(kube.core.list_namespaced_secret, kube.namespace, limit=1, _continue=token)
    assert (status["code"], status["reason"]) == (400, "BadRequest")


def test_token_goes_with_no_version_of_its_own(kube: Kube) -> None:
    create(kube, ["a", "b"])
    token = listed(kube, limit=1).json["metadata"]["continue"]
    assert listed(kube, **{"continue": token, "resourceVersion": 5}).status == 400


def test_limit_that_is_no_number_is_refused_and_one_below_zero_is_none(kube: Kube) -> None:
    create(kube, ["a", "b"])
    assert listed(kube, limit="soon").status == 400
    assert names(listed(kube, limit=-1)) == ["a", "b"]


def test_expired_token_is_told_and_another_one_goes_on_without_consistency(aged: Kube) -> None:
    kube = aged
    create(kube, ["a", "c"])
    old = as_of(listed(kube, limit=1).json["metadata"]["continue"], 1)
    create(kube, ["b"])
    expired = listed(kube, **{"continue": old})
    assert (expired.status, expired.json["reason"]) == (410, "Expired")
    going_on = expired.json["metadata"]["continue"]
    assert names(listed(kube, **{"continue": going_on})) == ["b", "c"]


@pytest.fixture
def crowd(kube: Kube) -> Iterator[list[str]]:
    """Names of 2,000 pods that no scheduler takes, so that they stay as they are."""
    wanted = [f"p{i:04}" for i in range(MANY)]
    until_pods_are_taken(kube)
    path = f"/api/v1/namespaces/{kube.namespace}/pods"

    def add(name: str) -> int:
        return answer_of(kube, "POST", path, a_waiting_pod(kube, name, "crowd")).status

    with ThreadPoolExecutor(AT_ONCE) as threads:
        assert set(threads.map(add, wanted)) == {201}
    yield wanted
    answer_of(kube, "DELETE", path, gracePeriodSeconds=0)


async def test_two_thousand_pods_are_read_whole_in_pages_by_us_and_gone_at_one_request(side: Side, crowd: list[str]) -> None:
    kube = side.kube
    first = listed(kube, "pods", limit=500).json["metadata"]
    assert first["remainingItemCount"] == MANY - 500
    kube.core.delete_namespaced_pod(crowd[-1], kube.namespace, grace_period_seconds=0)
    rest = listed(kube, "pods", **{"continue": first["continue"]})
    assert names(rest) == crowd[500:]
    async with adapter(side) as connection:
        reading = Reading(connection)
        pods = await reading.list(Kind.POD, kube.namespace, labels="app=crowd", limit=MOST_OBJECTS)
        assert [pod["metadata"]["name"] for pod in pods] == crowd[:-1]
        assert (reading.calls, reading.unseen) == (10, [])
        some = Reading(connection)
        assert len(await some.list(Kind.POD, kube.namespace)) == 1000
        assert some.unseen == ["pods: only the first 1000 were looked at"]
        assert (await KubernetesNamespaces(connection).workloads("lab", kube.namespace)).unseen == ()
    kube.core.delete_collection_namespaced_pod(kube.namespace, grace_period_seconds=0)
    assert listed(kube, "pods").json["items"] == []
