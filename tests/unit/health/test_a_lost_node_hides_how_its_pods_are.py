"""While nothing is heard of a node, its pods count as not ready. That says nothing about a fix, good or bad."""

import pytest
from tests.builders import a_container, a_node, a_pod, a_snapshot, a_workload

from opsmend.domain.health import assess, baseline, worse_than
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.verification import Health


def a_target_on(node: str, *, ready: int, elsewhere: bool = False) -> Snapshot:
    """Two pods, `ready` of them ready; the node as said, and both on it unless one is `elsewhere`."""
    pods = [
        a_pod(f"web-{n}", node="node-2" if elsewhere and n else "node-1", containers=[a_container(ready=n < ready)])
        for n in range(2)
    ]
    workload = a_workload(ready_replicas=ready, available_replicas=ready)
    return a_snapshot(workload=workload, pods=tuple(pods), nodes=(a_node("node-1", ready=node), a_node("node-2")))


def test_pods_of_a_lost_node_are_neither_well_nor_broken() -> None:
    judged = assess(a_target_on("Unknown", ready=0))
    assert judged.health is Health.INCONCLUSIVE
    assert any("node node-1, which is lost" in reason for reason in judged.reasons)


@pytest.mark.parametrize(
    ("now", "worse"),
    [
        pytest.param(a_target_on("Unknown", ready=0), False, id="all-on-the-lost-node"),
        pytest.param(a_target_on("True", ready=0), True, id="the-node-is-there"),
        pytest.param(a_target_on("Unknown", ready=0, elsewhere=True), True, id="one-fails-on-a-node-that-is-there"),
    ],
)
def test_only_what_can_be_told_is_worse_than_before(now: Snapshot, worse: bool) -> None:
    assert worse_than(baseline(a_target_on("True", ready=2)), now) is worse
