"""Containers fail for a reason that lies in what they are given, and heal by a right fix only."""

from typing import Any

import pytest
from kubernetes.client import ApiException
from tests.contract.embedded_cluster.conftest import StartCluster
from tests.contract.embedded_cluster.kube import NAMESPACE, Kube, eventually, status_of
from tests.contract.embedded_cluster.manifests import Manifest, a_config_map, a_container, a_deployment, a_service

STRATEGIC = "application/strategic-merge-patch+json"
APP = "shop/app:1.0"


def fix_container(kube: Kube, **fields: Any) -> None:
    kube.patch_deployment({"spec": {"template": {"spec": {"containers": [{"name": "app", **fields}]}}}})


def test_image_that_the_registry_lacks_backs_off_until_the_tag_is_right(start: StartCluster) -> None:
    kube = start(rules=[{"name": "no such tag", "when": {"image": r"^shop/app:(?!1\.)"}, "then": {"effect": "pull_fails"}}])
    kube.deploy(a_deployment(container=a_container("shop/app:2.0")))
    pod = kube.pod_waiting("ImagePullBackOff")
    assert 'Back-off pulling image "shop/app:2.0"' in pod.status.container_statuses[0].state.waiting.message
    failed = 'Failed to pull image "shop/app:2.0": rpc error: code = NotFound desc = failed to pull and unpack image'
    eventually(lambda: any(text.startswith(failed) for text in kube.event_messages("Failed")))
    fix_container(kube, image="shop/app:3.0")
    kube.pod_waiting("ErrImagePull")
    fix_container(kube, image="shop/app:1.1")
    kube.healthy()


def test_image_name_that_is_none_is_told(kube: Kube) -> None:
    kube.deploy(a_deployment(container=a_container("nginx:BAD@TAG")))
    kube.pod_waiting("InvalidImageName")


MISSING: list[Any] = [
    pytest.param(
        {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a"}}}]},
        'configmap "settings" not found', id="configmap of a variable",
    ),
    pytest.param(
        {"envFrom": [{"configMapRef": {"name": "settings"}}]}, 'configmap "settings" not found', id="configmap of envFrom"
    ),
    pytest.param(
        {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "settings", "key": "a"}}}]},
        'secret "settings" not found', id="secret of a variable",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "message"), MISSING)
def test_missing_reference_holds_the_container_back_with_the_kubelets_words(kube: Kube, fields: Manifest, message: str) -> None:
    kube.deploy(a_deployment(container=a_container(APP, **fields)))
    pod = kube.pod_waiting("CreateContainerConfigError")
    assert pod.status.container_statuses[0].state.waiting.message == message
    assert f"Error: {message}" in kube.event_messages("Failed")


def test_missing_key_is_named_and_heals_when_it_is_added(kube: Kube) -> None:
    kube.core.create_namespaced_config_map(NAMESPACE, a_config_map(other="1"))
    variable = {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a"}}}
    kube.deploy(a_deployment(container=a_container(APP, env=[variable])))
    pod = kube.pod_waiting("CreateContainerConfigError")
    message = "couldn't find key a in ConfigMap default/settings"
    assert pod.status.container_statuses[0].state.waiting.message == message
    kube.core.patch_namespaced_config_map("settings", NAMESPACE, {"data": {"a": "1"}}, _content_type=STRATEGIC)
    kube.healthy()


def test_missing_volume_source_fails_to_mount_and_heals_when_it_is_created(kube: Kube) -> None:
    mount = [{"name": "conf", "mountPath": "/etc/app"}]
    volumes = [{"name": "conf", "configMap": {"name": "settings"}}]
    kube.deploy(a_deployment(container=a_container(APP, volumeMounts=mount), volumes=volumes))
    assert kube.event("FailedMount") == 'MountVolume.SetUp failed for volume "conf" : configmap "settings" not found'
    kube.pod_waiting("ContainerCreating")
    kube.core.create_namespaced_config_map(NAMESPACE, a_config_map(a="1"))
    kube.healthy()


def test_container_short_of_memory_is_killed_until_its_limit_suffices(start: StartCluster) -> None:
    rule = {"name": "needs 128 MiB", "when": {"image": "^shop/", "memory_limit_below": "128Mi"},
            "then": {"effect": "out_of_memory", "log": ["allocating cache"]}}  # fmt: skip
    kube = start(rules=[rule])
    kube.deploy(a_deployment(container=a_container(APP, resources={"limits": {"memory": "64Mi"}})))

    def killed() -> Any:
        for pod in kube.pods():
            status = (pod.status.container_statuses or [None])[0]
            if status is not None and status.restart_count >= 2 and status.last_state.terminated is not None:
                return status
        return None

    status = eventually(killed)
    assert (status.last_state.terminated.reason, status.last_state.terminated.exit_code) == ("OOMKilled", 137)
    fix_container(kube, resources={"limits": {"memory": "100Mi"}})
    eventually(lambda: any(p.status.container_statuses and p.status.container_statuses[0].restart_count for p in kube.pods()))
    assert not kube.deployment().status.ready_replicas
    fix_container(kube, resources={"limits": {"memory": "256Mi"}})
    kube.healthy()


def test_missing_variable_crashes_with_its_log_and_backs_off(start: StartCluster) -> None:
    rule = {"name": "needs a database", "when": {"image": "^shop/", "env": [{"name": "DATABASE_URL", "missing": True}]},
            "then": {"effect": "exits", "code": 2, "log": ["FATAL: DATABASE_URL is not set"]}}  # fmt: skip
    kube = start(rules=[rule])
    kube.deploy(a_deployment(container=a_container(APP)))
    assert "Back-off restarting failed container app in pod" in kube.event("BackOff")
    pod = kube.pod_waiting("CrashLoopBackOff")
    log = kube.core.read_namespaced_pod_log(pod.metadata.name, NAMESPACE, previous=True)
    assert "FATAL: DATABASE_URL is not set" in log
    assert pod.status.container_statuses[0].last_state.terminated.exit_code == 2
    fix_container(kube, env=[{"name": "DATABASE_URL", "value": "postgres://db"}])
    kube.healthy()


def test_probe_of_a_port_that_nobody_listens_on_is_refused(start: StartCluster) -> None:
    kube = start(rules=[{"name": "listens", "when": {"image": "^shop/"}, "then": {"effect": "listens", "ports": [8080]}}])
    probe = {"httpGet": {"port": 9090, "path": "/healthz"}}
    kube.deploy(a_deployment(container=a_container(APP, readinessProbe=probe)))
    assert "9090: connect: connection refused" in kube.event("Unhealthy")
    assert not kube.deployment().status.ready_replicas
    fix_container(kube, readinessProbe={"httpGet": {"port": 8080, "path": "/healthz"}})
    kube.healthy()


def test_failing_liveness_probe_restarts_the_container(start: StartCluster) -> None:
    kube = start(rules=[{"name": "hangs", "then": {"effect": "probe_fails", "probe": "liveness"}}])
    kube.deploy(a_deployment(container=a_container(APP, livenessProbe={"httpGet": {"port": 80}})))
    assert kube.event("Killing") == "Container app failed liveness probe, will be restarted"
    eventually(lambda: any(p.status.container_statuses[0].restart_count for p in kube.pods()))


def test_dependent_is_unready_while_nobody_stands_behind_the_service(start: StartCluster) -> None:
    rule = {"name": "needs db", "when": {"image": "^shop/front", "service_down": "db"},
            "then": {"effect": "probe_fails", "message": "HTTP probe failed with statuscode: 503"}}  # fmt: skip
    kube = start(rules=[rule])
    probe = {"httpGet": {"port": 80}, "periodSeconds": 5}
    kube.deploy(a_deployment("front", container=a_container("shop/front:1", readinessProbe=probe)))
    kube.event("Unhealthy")
    kube.core.create_namespaced_service(NAMESPACE, a_service("db", target_port=5432))
    kube.deploy(a_deployment("db", container=a_container("postgres:16", ports=[{"containerPort": 5432}])))
    kube.healthy(name="front")
    kube.core.patch_namespaced_service(
        "db", NAMESPACE, {"spec": {"ports": [{"port": 80, "targetPort": 1}]}}, _content_type=STRATEGIC
    )  # fmt: skip
    eventually(lambda: not kube.deployment("front").status.ready_replicas)


def test_rule_can_be_added_and_taken_away_while_it_runs(kube: Kube) -> None:
    kube.deploy(a_deployment(container=a_container(APP, readinessProbe={"httpGet": {"port": 80}})))
    kube.healthy()
    kube.admin("POST", "rules", {"name": "down", "when": {"image": "^shop/"}, "then": {"effect": "probe_fails"}})
    eventually(lambda: not kube.deployment().status.ready_replicas)
    kube.admin("DELETE", "rules/down")
    kube.healthy()


def test_log_of_a_container_that_never_started_is_a_bad_request(kube: Kube) -> None:
    kube.deploy(a_deployment(container=a_container(APP, envFrom=[{"configMapRef": {"name": "none"}}])))
    pod = kube.pod_waiting("CreateContainerConfigError")
    with pytest.raises(ApiException) as caught:
        kube.core.read_namespaced_pod_log(pod.metadata.name, NAMESPACE)
    assert status_of(caught.value)["code"] == 400
    assert "is waiting to start: CreateContainerConfigError" in status_of(caught.value)["message"]
