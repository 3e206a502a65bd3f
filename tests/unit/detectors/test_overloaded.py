"""More replicas are wanted only for a load that they share, by numbers, and while nothing else is wrong."""

from typing import Any

import pytest
from tests.builders import (
    a_crashing_container,
    a_load,
    a_node,
    a_pod,
    a_quota,
    a_ref,
    a_snapshot,
    a_template,
    a_workload,
    an_autoscaler,
    some_revisions,
)

from opsmend.agents.sre.detectors.overloaded import detect
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.load import Load
from opsmend.domain.snapshot import Snapshot

ROOMY = a_node(requested={"cpu": "500m", "memory": "1Gi", "pods": "5"})
FOUR = a_workload(desired_replicas=4)
FOUR_PODS = tuple(a_pod(f"web-6d4cf-{suffix}") for suffix in "abcd")


def seen(load: Load | None, **changes: Any) -> Snapshot:
    """Four replicas, all well."""
    return a_snapshot(**({"workload": FOUR, "pods": FOUR_PODS, "load": load, "nodes": (ROOMY,)} | changes))


def found(snapshot: Snapshot) -> tuple[Finding, Hint]:
    (finding,) = detect(snapshot)
    return finding, finding.hints[0]


def test_why_six_and_not_five_has_an_answer_with_numbers() -> None:
    finding, hint = found(seen(a_load(57.0, 4)))
    assert (hint.remedy, hint.object, hint.replicas) == (Remedy.SCALE_UP, a_ref(), 6)
    assert hint.reason == "57.0/s in all; 5 replicas would still have 11.4 each, over the alert's 10; 6 have 9.5"
    assert "14.2 each of 4" in finding.summary


@pytest.mark.parametrize(
    ("load", "replicas"),
    [
        pytest.param(a_load(60.0, 4), 6, id="ten-each-is-not-over-ten"),
        pytest.param(a_load(60.0, 4, inclusive=True), 7, id="ten-each-fires-at-ten"),
        pytest.param(a_load(41.0, 4), 5, id="a-little-too-much"),
        pytest.param(a_load(120.0, 4), 12, id="three-times"),
    ],
)
def test_the_fewest_replicas_with_which_the_rule_is_quiet(load: Load, replicas: int) -> None:
    assert found(seen(load))[1].replicas == replicas


def test_without_a_rule_the_cpu_is_held_against_the_requests() -> None:
    """Each asks for 100m and uses 150m: 600m in all, of which 80m each makes 8."""
    finding, hint = found(seen(a_load(0.6, 4, None, source="cpu", unit=" cores")))
    assert (hint.remedy, hint.replicas) == (Remedy.SCALE_UP, 8)
    assert "80% of the 0.1 that each asks for" in hint.reason
    assert finding.confidence < 0.7


@pytest.mark.parametrize(
    ("snapshot", "why"),
    [
        pytest.param(seen(a_load(140.0, 4)), "more than 3 times the 4 of now", id="more-than-threefold"),
        pytest.param(seen(a_load(57.0, 4), autoscalers=(an_autoscaler(),)), "sets the number of replicas", id="autoscaler"),
        pytest.param(seen(a_load(57.0, 4), nodes=(a_node(),)), "room for 0 more pods, 2 are needed", id="nodes-not-seen"),
        pytest.param(
            seen(a_load(57.0, 4), nodes=(a_node(unschedulable=True, requested={}),)), "room for 0 more pods", id="cordoned"
        ),
        pytest.param(
            seen(a_load(57.0, 4), quotas=(a_quota(hard={"limits.memory": "1280Mi"}, used={"limits.memory": "1Gi"}),)),
            "limits.memory: 1Gi used of 1280Mi",
            id="quota-has-room-for-one-only",
        ),
    ],
)
def test_what_cannot_be_scaled_is_left_to_a_person_with_the_numbers(snapshot: Snapshot, why: str) -> None:
    _, hint = found(snapshot)
    assert hint.remedy is Remedy.NONE
    assert why in hint.reason
    assert "in all" in hint.reason


CRASHING = (a_pod(containers=[a_crashing_container("boom")]), *FOUR_PODS[1:])
NO_REQUEST = a_template(resources={"limits": {"memory": "256Mi"}})


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(seen(None), id="metrics-say-nothing"),
        pytest.param(seen(a_load(39.0, 4)), id="load-below-the-limit-again"),
        pytest.param(seen(a_load(57.0, 7)), id="divided-by-what-is-no-number-of-its-replicas"),
        pytest.param(seen(a_load(57.0, 4, 0)), id="limit-of-zero"),
        pytest.param(seen(a_load(57.0, 4), pods=CRASHING), id="a-crash-is-no-load"),
        pytest.param(seen(a_load(0.38, 4, None, source="cpu")), id="cpu-below-what-was-asked-for"),
        pytest.param(
            seen(
                a_load(2.0, 4, None, source="cpu"),
                workload=a_workload(desired_replicas=4, template=NO_REQUEST),
                revisions=some_revisions(NO_REQUEST),
            ),
            id="no-request-to-hold-the-cpu-against",
        ),
    ],
)
def test_abstains_unless_it_is_load_and_nothing_else(snapshot: Snapshot) -> None:
    assert detect(snapshot) == []


def test_a_stateful_set_is_less_sure_to_share_its_load() -> None:
    of_set = seen(a_load(57.0, 4), workload=a_workload(desired_replicas=4, ref=a_ref("StatefulSet")))
    assert found(of_set)[0].confidence < found(seen(a_load(57.0, 4)))[0].confidence
