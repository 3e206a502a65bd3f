"""Nodes, scheduling, and the workloads beside Deployments."""

from typing import Any

import pytest
from tests.contract.embedded_cluster.conftest import StartCluster
from tests.contract.embedded_cluster.kube import NAMESPACE, Kube, eventually
from tests.contract.embedded_cluster.manifests import Manifest, a_container, a_deployment, a_template

STRATEGIC = "application/strategic-merge-patch+json"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"container": a_container(resources={"requests": {"cpu": "64"}})},
            "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: "
            "2 No preemption victims found for incoming pod.",
        ),
        (
            {"nodeSelector": {"disk": "ssd"}},
            "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. preemption: "
            "0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
        ),
    ],
    ids=["too big", "no such label"],
)
def test_pod_that_fits_nowhere_says_why(kube: Kube, spec: Manifest, message: str) -> None:
    kube.deploy(a_deployment(**spec))
    assert kube.event("FailedScheduling") == message
    condition = next(c for c in kube.pods()[0].status.conditions if c.type == "PodScheduled")
    assert (condition.status, condition.reason, condition.message) == ("False", "Unschedulable", message)


def test_cordoned_nodes_take_no_new_pods_until_uncordoned(kube: Kube) -> None:
    for name in ("node-a", "node-b"):
        kube.core.patch_node(name, {"spec": {"unschedulable": True}}, _content_type=STRATEGIC)
    kube.deploy(a_deployment())
    assert "2 node(s) were unschedulable" in kube.event("FailedScheduling")
    kube.core.patch_node("node-a", {"spec": {"unschedulable": False}}, _content_type=STRATEGIC)
    kube.healthy()
    assert kube.pods()[0].spec.node_name == "node-a"


def test_pods_of_a_silent_node_lose_readiness_and_get_it_back(kube: Kube) -> None:
    kube.deploy(a_deployment(replicas=2))
    kube.healthy(2)
    kube.admin("PUT", "nodes/node-a", {"ready": False})
    eventually(lambda: kube.deployment().status.ready_replicas == 1)
    conditions = {c.type: c for c in kube.core.read_node("node-a").status.conditions}
    assert (conditions["Ready"].status, conditions["Ready"].reason) == ("Unknown", "NodeStatusUnknown")
    kube.admin("PUT", "nodes/node-a", {"ready": True})
    kube.healthy(2)


def test_pods_of_a_node_that_stays_silent_move_away(start: StartCluster) -> None:
    kube = start(timing={"second": 0.002})
    kube.deploy(a_deployment(replicas=2))
    kube.healthy(2)
    kube.admin("PUT", "nodes/node-a", {"ready": False})
    eventually(lambda: [p.spec.node_name for p in kube.pods() if p.status.phase == "Running"] == ["node-b", "node-b"])


def test_stateful_set_starts_in_order_and_updates_from_the_last(kube: Kube) -> None:
    spec = {"replicas": 2, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}}, "template": a_template("db")}
    kube.apps.create_namespaced_stateful_set(NAMESPACE, {"metadata": {"name": "db"}, "spec": spec})

    def ready() -> Any:
        status = kube.apps.read_namespaced_stateful_set("db", NAMESPACE).status
        return status if status.ready_replicas == 2 and status.current_revision == status.update_revision else None

    first = eventually(ready)
    assert sorted(pod.metadata.name for pod in kube.pods("db")) == ["db-0", "db-1"]
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "nginx:1.28.0"}]}}}}
    kube.apps.patch_namespaced_stateful_set("db", NAMESPACE, patch, _content_type=STRATEGIC)
    eventually(lambda: (now := ready()) and now.current_revision != first.current_revision)
    assert {pod.spec.containers[0].image for pod in kube.pods("db")} == {"nginx:1.28.0"}
    revisions = kube.apps.list_namespaced_controller_revision(NAMESPACE).items
    assert sorted(revision.revision for revision in revisions) == [1, 2]


def test_daemon_set_runs_on_every_node_and_updates(kube: Kube) -> None:
    spec = {"selector": {"matchLabels": {"app": "agent"}}, "template": a_template("agent")}
    kube.apps.create_namespaced_daemon_set(NAMESPACE, {"metadata": {"name": "agent"}, "spec": spec})
    eventually(lambda: kube.apps.read_namespaced_daemon_set("agent", NAMESPACE).status.number_ready == 2)
    assert {pod.spec.node_name for pod in kube.pods("agent")} == {"node-a", "node-b"}
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "nginx:1.28.0"}]}}}}
    kube.apps.patch_namespaced_daemon_set("agent", NAMESPACE, patch, _content_type=STRATEGIC)

    def updated() -> bool:
        status = kube.apps.read_namespaced_daemon_set("agent", NAMESPACE).status
        return bool(status.updated_number_scheduled == 2 and status.number_ready == 2)

    eventually(updated)


@pytest.mark.parametrize(("code", "condition"), [(0, "Complete"), (3, "Failed")], ids=["good", "bad"])
def test_job_ends_as_its_container_does(start: StartCluster, code: int, condition: str) -> None:
    kube = start(rules=[{"name": "ends", "then": {"effect": "exits", "code": code}}])
    batch = kube.batch
    template = a_template("once", a_container("shop/job:1"), restartPolicy="Never")
    batch.create_namespaced_job(NAMESPACE, {"metadata": {"name": "once"}, "spec": {"backoffLimit": 1, "template": template}})
    eventually(lambda: condition in [c.type for c in batch.read_namespaced_job("once", NAMESPACE).status.conditions or []])
