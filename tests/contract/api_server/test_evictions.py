"""A pod goes by eviction only where its disruption budget has room for that."""

from typing import Any

import pytest
from tests.contract.api_server.answers import Answer, answer_of, refused
from tests.contract.api_server.pods import a_pod, a_waiting_pod, until_pods_are_taken
from tests.contract.embedded_cluster.kube import Kube, eventually
from tests.contract.embedded_cluster.manifests import a_container, a_deployment

BUDGET = "keep"


def a_budget(name: str = BUDGET, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec}}


def running(kube: Kube, replicas: int) -> list[str]:
    """Names of the pods of a Deployment that is healthy."""
    kube.deploy(a_deployment(replicas=replicas, container=a_container(kube.image), terminationGracePeriodSeconds=0))
    kube.healthy(replicas)
    return [pod.metadata.name for pod in kube.pods()]


def guard(kube: Kube, allowed: int, **spec: Any) -> None:
    """A budget that its controller has counted: so many pods may go."""
    kube.policy.create_namespaced_pod_disruption_budget(kube.namespace, a_budget(**spec))

    def counted() -> bool:
        status = kube.policy.read_namespaced_pod_disruption_budget(BUDGET, kube.namespace).status
        return (status.observed_generation, status.disruptions_allowed) == (1, allowed)

    eventually(counted)


def evict(kube: Kube, pod: str, **more: Any) -> Answer:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}, **more}
    return answer_of(kube, "POST", f"/api/v1/namespaces/{kube.namespace}/pods/{pod}/eviction", eviction)


def left(kube: Kube) -> set[str]:
    return {pod.metadata.name for pod in kube.pods()}


@pytest.mark.parametrize("how", [{}, {"deleteOptions": {"dryRun": ["All"]}}], ids=["for real", "dry run"])
def test_eviction_that_the_budget_has_no_room_for_names_the_budget_and_leaves_the_pod(kube: Kube, how: dict[str, Any]) -> None:
    (pod,) = running(kube, 1)
    guard(kube, 0, minAvailable=1)
    answer = evict(kube, pod, **how)
    assert (answer.status, answer.json["reason"]) == (429, "TooManyRequests")
    assert answer.json["message"] == "Cannot evict pod as it would violate the pod's disruption budget."
    why = {"reason": "DisruptionBudget", "message": "The disruption budget keep needs 1 healthy pods and has 1 currently"}
    assert answer.json["details"]["causes"] == [why]
    assert "Retry-After" not in answer.headers  # nobody knows when there will be room
    assert left(kube) == {pod}


def test_budget_lets_as_many_pods_go_as_it_has_room_for_and_no_more(kube: Kube) -> None:
    # Of no controller: a replacement that is quick would make room for the next one.
    until_pods_are_taken(kube)
    for name in ("first", "second", "third"):
        kube.core.create_namespaced_pod(kube.namespace, a_pod(kube, name, "web"))
    guard(kube, 1, minAvailable=2)
    assert evict(kube, "first", deleteOptions={"dryRun": ["All"]}).status == 201
    assert evict(kube, "first").status == 201
    assert evict(kube, "second").status == 429
    eventually(lambda: left(kube) == {"second", "third"})


def test_pod_of_two_budgets_cannot_be_evicted(kube: Kube) -> None:
    (pod,) = running(kube, 1)
    guard(kube, 1, maxUnavailable=1)
    kube.policy.create_namespaced_pod_disruption_budget(kube.namespace, a_budget("other", maxUnavailable=1))
    answer = evict(kube, pod)
    assert (answer.status, "more than one PodDisruptionBudget" in answer.json["message"]) == (500, True)


def test_pod_that_does_not_run_yet_is_evicted_whatever_the_budget_says(kube: Kube) -> None:
    (pod,) = running(kube, 1)
    guard(kube, 0, minAvailable=1)
    kube.core.create_namespaced_pod(kube.namespace, a_waiting_pod(kube, "waiting", "web"))
    assert evict(kube, "waiting").status == 201
    assert left(kube) == {pod}


def test_eviction_of_nobody_or_of_somebody_else_is_refused(kube: Kube) -> None:
    assert evict(kube, "gone").status == 404
    assert evict(kube, "gone", metadata={"name": "other"}).status == 400


def test_budget_says_either_how_many_stay_or_how_many_may_go(kube: Kube) -> None:
    both = a_budget(minAvailable=1, maxUnavailable=1)
    status = refused(kube.policy.create_namespaced_pod_disruption_budget, kube.namespace, both)
    assert (status["code"], status["details"]["causes"][0]["field"]) == (422, "spec")
