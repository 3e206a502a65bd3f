"""A kill at the memory limit is the kubelet's word, and the proposed limit has a reason with numbers."""

from typing import Any

import pytest
from tests.builders import (
    a_container,
    a_crashing_container,
    a_failed_rollout,
    a_node,
    a_pod,
    a_snapshot,
    a_template,
    a_termination,
    a_workload,
    ago,
    some_revisions,
)

from opsmend.agents.sre.detectors.out_of_memory import detect
from opsmend.domain.diagnosis import Remedy
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import Container, Snapshot


def limited(limit: str | None, image: str = "shop/api:7", request: str = "64Mi") -> JsonObject:
    resources: JsonObject = {"requests": {"memory": request}} | ({"limits": {"memory": limit}} if limit else {})
    return a_template(image, resources=resources)


def oom(**changes: Any) -> Container:
    return a_crashing_container("", **({"last_terminated": a_termination("OOMKilled", 137)} | changes))


def killed(*templates: JsonObject, **changes: Any) -> Snapshot:
    """All pods of the last template are killed; earlier revisions were current for a day each."""
    pods = (a_pod(template=templates[-1], containers=[oom()]),)
    defaults = {"workload": a_workload(template=templates[-1]), "pods": pods, "revisions": some_revisions(*templates)}
    return a_snapshot(**(defaults | changes))


def test_limit_that_the_revision_lowered_goes_back() -> None:
    (finding,) = detect(a_failed_rollout(limited("512Mi"), limited("48Mi"), containers=[oom()]))
    assert [hint.remedy for hint in finding.hints] == [Remedy.ROLL_BACK, Remedy.RAISE_MEMORY]
    assert finding.hints[1].memory_limit == "512Mi"
    assert "512Mi" in finding.hints[0].reason
    assert "48Mi" in finding.hints[0].reason


def test_lowered_limit_with_a_new_image_is_raised_and_the_image_stays() -> None:
    (finding,) = detect(a_failed_rollout(limited("512Mi"), limited("48Mi", "shop/api:8"), containers=[oom()]))
    assert [hint.remedy for hint in finding.hints] == [Remedy.RAISE_MEMORY, Remedy.ROLL_BACK]


def test_new_image_that_needs_more_is_rolled_back_first() -> None:
    (finding,) = detect(a_failed_rollout(limited("128Mi"), limited("128Mi", "shop/api:8"), containers=[oom()]))
    assert [hint.remedy for hint in finding.hints] == [Remedy.ROLL_BACK, Remedy.RAISE_MEMORY]


def test_limit_that_never_sufficed_is_doubled_and_says_why() -> None:
    (finding,) = detect(killed(limited("128Mi")))
    (hint,) = finding.hints
    assert (hint.memory_limit, hint.memory_request) == ("256Mi", None)
    assert "killed at 128Mi (5 restarts)" in hint.reason


def test_evidence_is_how_each_of_two_containers_ended() -> None:
    pods = tuple(a_pod(name, template=limited("128Mi"), containers=[oom()]) for name in ("api-1", "api-2", "api-3"))
    (finding,) = detect(killed(limited("128Mi"), pods=pods))
    assert [("OOMKilled, exit code 137, 5 restarts, memory limit 128Mi" in e.excerpt) for e in finding.evidence] == [True, True]


def test_request_follows_where_it_equals_the_limit() -> None:
    (finding,) = detect(killed(limited("128Mi", request="128Mi")))
    assert finding.hints[0].memory_request == "256Mi"


def test_limit_raised_again_and_again_looks_like_a_leak() -> None:
    (finding,) = detect(killed(limited("128Mi"), limited("256Mi"), limited("512Mi")))
    (hint,) = finding.hints
    assert hint.remedy is Remedy.NONE
    assert "128Mi → 256Mi → 512Mi" in hint.reason


def test_more_than_any_node_has_is_not_proposed() -> None:
    (finding,) = detect(killed(limited("6Gi"), nodes=(a_node(),)))
    assert finding.hints[0].remedy is Remedy.NONE
    assert "8Gi" in finding.hints[0].reason


def test_kill_without_a_limit_is_the_nodes() -> None:
    (finding,) = detect(killed(limited(None)))
    assert finding.hints[0].remedy is Remedy.NONE


def test_up_again_for_less_than_it_lived_still_counts() -> None:
    run = a_termination("OOMKilled", 137, started_at=ago(minutes=9), finished_at=ago(minutes=3))
    pod = a_pod(template=limited("128Mi"), containers=[a_container(restarts=8, last_terminated=run)])
    assert len(detect(killed(limited("128Mi"), pods=(pod,)))) == 1


def test_kill_from_nowhere_at_a_limit_is_believed_a_little() -> None:
    (finding,) = detect(
        killed(
            limited("64Mi"),
            pods=(a_pod(template=limited("64Mi"), containers=[oom(last_terminated=a_termination("Error", 137))]),),
        )
    )
    assert finding.confidence <= 0.6


@pytest.mark.parametrize(
    "container",
    [
        pytest.param(a_crashing_container("java.lang.OutOfMemoryError: Java heap space"), id="a-word-in-the-log"),
        pytest.param(
            a_container(restarts=1, last_terminated=a_termination("OOMKilled", 137, finished_at=ago(hours=2))), id="long-ago"
        ),
        pytest.param(a_crashing_container("", last_terminated=a_termination("Error", 143)), id="terminated-politely"),
    ],
)
def test_abstains_without_a_kill(container: Container) -> None:
    assert detect(a_snapshot(pods=(a_pod(containers=[container]),))) == []
