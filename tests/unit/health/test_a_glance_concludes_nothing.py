"""A look may be a glance while all is well, but only a close look proves that a fix helped."""

from typing import Any

import pytest
from tests.builders import a_condition, a_crashing_container, a_health_check, a_pod, a_snapshot, a_workload

from opsmend.agents.sre.verify import conclude_verification, next_looks_closely
from opsmend.domain.health import assess, well_at_a_glance
from opsmend.domain.verification import Health

GLANCE = a_health_check(glanced=True)
CLOSE = a_health_check()
MOVING = a_health_check("inconclusive")
BROKEN = a_health_check("unhealthy")


@pytest.mark.parametrize(
    ("changes", "well"),
    [
        pytest.param({}, True, id="rolled-out"),
        pytest.param({"generation": 4}, False, id="not-observed"),
        pytest.param({"updated_replicas": 1}, False, id="not-updated"),
        pytest.param({"available_replicas": 1}, False, id="not-available"),
        pytest.param({"replicas": 3}, False, id="old-ones-left"),
        pytest.param({"paused": True}, False, id="paused"),
        pytest.param({"desired_replicas": 0}, False, id="runs-nothing"),
        pytest.param({"conditions": (a_condition("Progressing", "False", "ProgressDeadlineExceeded"),)}, False, id="stuck"),
        pytest.param({"conditions": (a_condition("ReplicaFailure", "True", "FailedCreate"),)}, False, id="pods-refused"),
    ],
)
def test_what_the_status_says(changes: dict[str, Any], well: bool) -> None:
    workload = a_workload(**changes)
    assert well_at_a_glance(workload) is well
    if not well:
        assert assess(a_snapshot(workload=workload, pods=(), glanced=True)).health is not Health.HEALTHY


def test_a_glance_does_not_miss_what_it_could_not_see() -> None:
    assert assess(a_snapshot(pods=(), services=(), glanced=True)).health is Health.HEALTHY
    seen = a_snapshot(pods=(a_pod(), a_pod("b", containers=[a_crashing_container()])))
    assert assess(seen).health is Health.UNHEALTHY


@pytest.mark.parametrize(
    ("checks", "closely"),
    [
        pytest.param([], False, id="first"),
        pytest.param([GLANCE], False, id="one-well"),
        pytest.param([GLANCE, GLANCE], True, id="the-next-could-conclude"),
        pytest.param([CLOSE, CLOSE], True, id="seen-closely-before"),
        pytest.param([GLANCE, GLANCE, MOVING], False, id="began-anew"),
        pytest.param([GLANCE, GLANCE, MOVING, GLANCE, GLANCE], True, id="once-more"),
        pytest.param([BROKEN, GLANCE], False, id="broken-before"),
    ],
)
def test_the_look_that_could_conclude_is_a_close_one(checks: list[Any], closely: bool) -> None:
    assert next_looks_closely(checks, 3) is closely


def test_a_single_look_is_always_close() -> None:
    assert next_looks_closely([], 1)


@pytest.mark.parametrize(
    ("checks", "health"),
    [
        pytest.param([GLANCE, GLANCE, CLOSE], Health.HEALTHY, id="closed-by-a-close-look"),
        pytest.param([CLOSE, CLOSE, CLOSE], Health.HEALTHY, id="all-close"),
        pytest.param([GLANCE, GLANCE, GLANCE], Health.INCONCLUSIVE, id="glances-alone"),
        pytest.param([CLOSE, CLOSE, GLANCE], Health.INCONCLUSIVE, id="last-was-a-glance"),
        pytest.param([GLANCE, CLOSE], Health.INCONCLUSIVE, id="too-few"),
        pytest.param([MOVING, GLANCE, CLOSE], Health.INCONCLUSIVE, id="not-in-a-row"),
        pytest.param([GLANCE, GLANCE, BROKEN], Health.UNHEALTHY, id="broken-at-last"),
    ],
)
def test_only_a_close_look_concludes(checks: list[Any], health: Health) -> None:
    assert conclude_verification(checks, 3).health is health
