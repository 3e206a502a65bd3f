"""Rollouts keep ready pods while a new revision is bad, tell how they go, and can be taken back."""

from typing import Any

import pytest
from tests.contract.embedded_cluster.conftest import StartCluster
from tests.contract.embedded_cluster.kube import NAMESPACE, Kube, eventually
from tests.contract.embedded_cluster.manifests import a_container, a_deployment

from opsmend_cluster.shop import seed_shop, ship_release

REVISION = "deployment.kubernetes.io/revision"
BAD_TAG = {"name": "no such tag", "when": {"image": ":bad$"}, "then": {"effect": "pull_fails"}}


def set_image(kube: Kube, image: str) -> None:
    kube.patch_deployment({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}})


def condition(kube: Kube, kind: str) -> Any:
    return next((c for c in kube.deployment().status.conditions or [] if c.type == kind), None)


def test_bad_rollout_leaves_the_old_pods_up_and_the_deadline_passes(start: StartCluster) -> None:
    kube = start(rules=[BAD_TAG], timing={"second": 0.01})
    manifest = a_deployment(replicas=3, container=a_container("shop/app:good"))
    manifest["spec"]["progressDeadlineSeconds"] = 60
    kube.deploy(manifest)
    kube.healthy(3)
    set_image(kube, "shop/app:bad")
    kube.pod_waiting("ImagePullBackOff")
    eventually(lambda: condition(kube, "Progressing").reason == "ProgressDeadlineExceeded")
    assert condition(kube, "Progressing").status == "False"
    assert condition(kube, "Available").status == "True"
    assert kube.deployment().status.ready_replicas == 3
    assert kube.deployment().status.updated_replicas == 1


def test_undo_brings_the_old_template_back_under_a_new_revision(start: StartCluster) -> None:
    kube = start(rules=[BAD_TAG])
    kube.deploy(a_deployment(replicas=2, container=a_container("shop/app:good")))
    first = kube.healthy(2)
    assert first.metadata.annotations[REVISION] == "1"
    set_image(kube, "shop/app:bad")
    kube.pod_waiting("ErrImagePull")
    set_image(kube, "shop/app:good")
    healed = kube.healthy(2)
    assert healed.metadata.annotations[REVISION] == "3"
    sets = {rs.metadata.annotations[REVISION]: rs for rs in kube.apps.list_namespaced_replica_set(NAMESPACE).items}
    assert set(sets) == {"2", "3"}
    assert sets["3"].metadata.annotations["deployment.kubernetes.io/revision-history"] == "1"
    name = sets["2"].metadata.name
    eventually(lambda: f"Scaled down replica set {name} to 0 from 1" in kube.event_messages("ScalingReplicaSet"))


@pytest.mark.parametrize("strategy", ["RollingUpdate", "Recreate"])
def test_good_rollout_replaces_every_pod(kube: Kube, strategy: str) -> None:
    manifest = a_deployment(replicas=3)
    manifest["spec"]["strategy"] = {"type": strategy}
    kube.deploy(manifest)
    kube.healthy(3)
    before = {pod.metadata.name for pod in kube.pods()}
    set_image(kube, "nginx:1.28.0")
    kube.healthy(3)
    assert before.isdisjoint(pod.metadata.name for pod in kube.pods())


def test_paused_rollout_waits_for_its_resumption(kube: Kube) -> None:
    kube.deploy(a_deployment())
    kube.healthy()
    kube.patch_deployment({"spec": {"paused": True}})
    set_image(kube, "nginx:1.28.0")
    eventually(lambda: condition(kube, "Progressing").reason == "DeploymentPaused")
    assert [pod.spec.containers[0].image for pod in kube.pods()] == ["nginx:1.27.1"]
    kube.patch_deployment({"spec": {"paused": False}})
    kube.healthy()
    assert [pod.spec.containers[0].image for pod in kube.pods()] == ["nginx:1.28.0"]


def test_exhausted_quota_is_told_and_heals_when_there_is_room(kube: Kube) -> None:
    quota = {"metadata": {"name": "compute"}, "spec": {"hard": {"requests.cpu": "1"}}}
    kube.core.create_namespaced_resource_quota(NAMESPACE, quota)
    kube.deploy(a_deployment(replicas=3, container=a_container(resources={"requests": {"cpu": "500m"}})))
    message = kube.event("FailedCreate")
    assert (
        "is forbidden: exceeded quota: compute, requested: requests.cpu=500m, used: requests.cpu=1, limited: requests.cpu=1"
        in message
    )
    eventually(lambda: condition(kube, "ReplicaFailure") is not None)
    assert condition(kube, "ReplicaFailure").reason == "FailedCreate"
    kube.core.patch_namespaced_resource_quota(
        "compute", NAMESPACE, {"spec": {"hard": {"requests.cpu": "2"}}}, _content_type="application/merge-patch+json"
    )
    kube.healthy(3)
    eventually(lambda: condition(kube, "ReplicaFailure") is None)


def test_shop_is_broken_by_a_release_and_healed_by_going_back(kube: Kube) -> None:
    def ready(name: str) -> Any:
        return kube.apps.read_namespaced_deployment(name, "shop").status.ready_replicas

    seed_shop(kube.url)
    eventually(lambda: ready("web") == 3 and ready("checkout") == 2)
    ship_release(kube.url, "web")

    def crashing() -> Any:
        pods = kube.core.list_namespaced_pod("shop", label_selector="app=web").items
        return next((p for p in pods if p.status.container_statuses and p.status.container_statuses[0].restart_count), None)

    pod = eventually(crashing)
    assert 'unknown directive "lissten"' in kube.core.read_namespaced_pod_log(pod.metadata.name, "shop", previous=True)
    assert pod.spec.volumes[0].config_map.name == "web-nginx-v2"
    assert ready("web") == 3
    volumes = [{"name": "conf", "configMap": {"name": "web-nginx-v1"}}]
    patch = {"spec": {"template": {"spec": {"volumes": volumes}}}}
    kind = "application/strategic-merge-patch+json"
    kube.apps.patch_namespaced_deployment("web", "shop", patch, _content_type=kind)
    eventually(lambda: kube.apps.read_namespaced_deployment("web", "shop").status.updated_replicas == 3 and ready("web") == 3)


def test_a_namespace_can_be_made_while_another_has_a_quota(kube: Kube) -> None:
    kube.core.create_namespaced_resource_quota(NAMESPACE, {"metadata": {"name": "team"}, "spec": {"hard": {"pods": "1"}}})
    kube.core.create_namespace({"metadata": {"name": "elsewhere"}})
    assert kube.core.read_namespace("elsewhere").metadata.name == "elsewhere"
