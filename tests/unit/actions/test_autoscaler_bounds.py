"""What a bound of an autoscaler touches is counted on its workload, so that policies and people see it."""

import pytest
from tests.unit.actions.objects import a_ref, an_autoscaler

from opsmend.domain.actions.patch_autoscaler import PatchAutoscaler
from opsmend.domain.target import Kind

AUTOSCALER = a_ref(Kind.HORIZONTAL_POD_AUTOSCALER)


@pytest.mark.parametrize(
    ("bounds", "pods", "interrupts"),
    [
        pytest.param({"max_replicas": 8}, 3, False, id="three more may be started"),
        pytest.param({"max_replicas": 2}, 1, True, id="one of three has to stop"),
        pytest.param({"max_replicas": 4}, 0, False, id="nobody uses what is taken away"),
        pytest.param({"min_replicas": 5}, 2, False, id="two have to be started"),
    ],
)
def test_the_pods_that_may_come_or_go_are_counted(bounds: dict[str, int], pods: int, interrupts: bool) -> None:
    radius = PatchAutoscaler(target=AUTOSCALER, **bounds).blast_radius(an_autoscaler())
    assert (radius.pods, radius.interrupts) == (pods, interrupts)


def test_the_workload_is_touched_too() -> None:
    radius = PatchAutoscaler(target=AUTOSCALER, max_replicas=8).blast_radius(an_autoscaler())
    assert radius.objects == (AUTOSCALER, a_ref())


def test_a_workload_of_an_unknown_kind_is_not_named() -> None:
    live = an_autoscaler(scaleTargetRef={"kind": "Rollout", "name": "web"})
    assert PatchAutoscaler(target=AUTOSCALER, max_replicas=8).blast_radius(live).objects == (AUTOSCALER,)
