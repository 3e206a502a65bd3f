"""Load, room and neighbours are looked at only when something asks for them, and what cannot be seen is told."""

from typing import Any

import pytest
from tests.builders import (
    a_crashing_container,
    a_limited_autoscaler,
    a_load,
    a_neighbour,
    a_node,
    a_pod,
    a_ref,
    a_snapshot,
    a_taint,
    a_workload,
    an_alert,
    an_event,
)
from tests.unit.looks.clusters import GivenCluster, some_nodes
from tests.workflows.fakes import MetricsInMemory

from opsmend.agents.sre.looks.load import look_at_load
from opsmend.agents.sre.looks.maximum import look_at_maximum
from opsmend.agents.sre.looks.neighbours import look_at_neighbours
from opsmend.agents.sre.looks.room import MOST_NODES, look_for_room
from opsmend.domain.alert import Alert
from opsmend.domain.load import Load
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.target import ObjectRef
from opsmend.errors import ClusterForbiddenError, MetricsUnavailableError

ALERTS = (an_alert(),)
PODS = ("web-6d4cf-aaaaa", "web-6d4cf-bbbbb")


def metrics(load: Load | None = None) -> MetricsInMemory:
    known = MetricsInMemory()
    known.carried = load
    return known


class NoAnswer(MetricsInMemory):
    async def load(self, alert: Alert, workload: ObjectRef) -> Load | None:
        raise MetricsUnavailableError("Prometheus did not answer")


async def test_the_load_of_the_alerts_rule_is_taken() -> None:
    seen = await look_at_load(GivenCluster(), metrics(a_load()), a_snapshot(), ALERTS)
    assert seen.load == a_load()


async def test_without_a_rule_the_cpu_of_all_pods_counts() -> None:
    cluster = GivenCluster(cores=dict.fromkeys(PODS, 0.2) | {"someone-else": 9.0})
    load = (await look_at_load(cluster, metrics(), a_snapshot(), ALERTS)).load
    assert load is not None
    assert (load.source, load.per_replica, load.replicas, load.limit) == ("cpu", 0.2, 2, None)


@pytest.mark.parametrize(
    "cores",
    [
        pytest.param(None, id="no-metrics-api"),
        pytest.param({PODS[0]: 0.2}, id="one-pod-is-not-measured"),
        pytest.param({}, id="nothing-measured"),
    ],
)
async def test_cpu_that_is_not_fully_known_is_no_load(cores: dict[str, float] | None) -> None:
    assert (await look_at_load(GivenCluster(cores=cores), metrics(), a_snapshot(), ALERTS)).load is None


@pytest.mark.parametrize(
    ("known", "cluster"),
    [
        pytest.param(NoAnswer(), GivenCluster(cores=dict.fromkeys(PODS, 0.2)), id="prometheus"),
        pytest.param(metrics(), GivenCluster(failing=ClusterForbiddenError("pods.metrics.k8s.io is forbidden")), id="rights"),
    ],
)
async def test_a_load_that_cannot_be_asked_for_is_unseen(known: MetricsInMemory, cluster: GivenCluster) -> None:
    seen = await look_at_load(cluster, known, a_snapshot(), ALERTS)
    assert seen.load is None
    assert seen.unseen[0].startswith("load of the replicas: ")


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(a_snapshot(pods=(a_pod(containers=[a_crashing_container()]),)), id="it-crashes"),
        pytest.param(a_snapshot(workload=a_workload(desired_replicas=0), pods=(), services=()), id="it-runs-nothing"),
        pytest.param(a_snapshot(workload=a_workload(ref=a_ref("DaemonSet"))), id="a-daemon-set-has-no-number"),
        pytest.param(a_snapshot(workload=None, revisions=()), id="no-workload"),
    ],
)
async def test_nobody_asks_for_load_where_it_could_not_be_the_cause(snapshot: Snapshot) -> None:
    assert await look_at_load(GivenCluster(), NoAnswer(), snapshot, ALERTS) == snapshot


def wanting(**changes: Any) -> Snapshot:
    """Two replicas that carry 57 of 10 each: four more are wanted."""
    return a_snapshot(**({"load": a_load(57.0, 2), "nodes": (), "api_calls": 10} | changes))


async def test_nodes_are_counted_until_they_have_room_enough() -> None:
    cluster = GivenCluster(nodes=some_nodes("full-1", "roomy-1", "roomy-2"))
    seen = await look_for_room(cluster, wanting())
    assert cluster.asked == ["nodes", "pods on full-1", "pods on roomy-1"]
    assert [node.requested is not None for node in seen.nodes] == [True, True]
    assert seen.api_calls == 13


async def test_nodes_that_cannot_take_the_pods_are_not_counted() -> None:
    cordoned, tainted = a_node("roomy-1", unschedulable=True), a_node("roomy-2", taints=(a_taint("gpu"),))
    cluster = GivenCluster(nodes=(cordoned, tainted, a_node("roomy-3", ready="False")))
    await look_for_room(cluster, wanting())
    assert cluster.asked == ["nodes"]


async def test_a_large_full_cluster_is_not_counted_to_its_end() -> None:
    cluster = GivenCluster(nodes=some_nodes(*(f"full-{number}" for number in range(40))))
    await look_for_room(cluster, wanting())
    assert len(cluster.asked) == 1 + MOST_NODES


async def test_an_autoscaler_at_its_maximum_wants_room_too() -> None:
    cluster = GivenCluster(nodes=some_nodes("roomy-1"))
    snapshot = a_snapshot(autoscalers=(a_limited_autoscaler(),), workload=a_workload(desired_replicas=5))
    assert any(node.requested for node in (await look_for_room(cluster, snapshot)).nodes)


async def test_nobody_counts_nodes_unless_more_pods_are_wanted() -> None:
    cluster = GivenCluster(nodes=some_nodes("roomy-1"))
    for snapshot in (a_snapshot(), wanting(load=a_load(9.0, 2)), wanting(workload=None, revisions=())):
        assert await look_for_room(cluster, snapshot) == snapshot
    assert cluster.asked == []


async def test_nodes_that_may_not_be_listed_are_told_as_unseen() -> None:
    seen = await look_for_room(GivenCluster(failing=ClusterForbiddenError("nodes is forbidden")), wanting())
    assert seen.unseen == ("room on the nodes: nodes is forbidden",)


class FiresAtMaximum(MetricsInMemory):
    async def fires_at_maximum(self, alert: Alert) -> bool:
        return True


class NoRules(MetricsInMemory):
    async def fires_at_maximum(self, alert: Alert) -> bool:
        raise MetricsUnavailableError("Prometheus did not answer")


async def test_the_rules_are_asked_only_about_an_autoscaler_that_wants_more() -> None:
    limited = a_snapshot(autoscalers=(a_limited_autoscaler(),))
    assert (await look_at_maximum(FiresAtMaximum(), limited, ALERTS)).fires_at_maximum
    assert await look_at_maximum(NoRules(), a_snapshot(), ALERTS) == a_snapshot()
    assert (await look_at_maximum(NoRules(), limited, ALERTS)).unseen == ("rules of the alerts: Prometheus did not answer",)


REFUSED = an_event("FailedCreate", 'pods "x" is forbidden: exceeded quota: team', about="ReplicaSet web-6d4cf")


async def test_neighbours_are_looked_at_when_a_quota_refused_a_pod() -> None:
    cluster = GivenCluster(neighbours=(a_neighbour(),))
    short = a_snapshot(workload=a_workload(replicas=1), events=(REFUSED,))
    assert (await look_at_neighbours(cluster, short)).neighbours == (a_neighbour(),)
    assert cluster.asked == ["neighbours in shop"]


async def test_an_old_refusal_that_was_overcome_asks_for_nobody() -> None:
    cluster = GivenCluster(neighbours=(a_neighbour(),))
    assert (await look_at_neighbours(cluster, a_snapshot(events=(REFUSED,)))).neighbours == ()
    assert cluster.asked == []
