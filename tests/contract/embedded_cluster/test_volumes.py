"""Claims are answered as their class and the volumes allow, and pods wait for them with the scheduler's words."""

from typing import Any

import pytest
from tests.contract.embedded_cluster.kube import NAMESPACE, Kube, eventually
from tests.contract.embedded_cluster.manifests import a_deployment


def a_claim(storage_class: str | None = None, size: str = "1Gi", modes: tuple[str, ...] = ("ReadWriteOnce",)) -> dict[str, Any]:
    spec: dict[str, Any] = {"accessModes": list(modes), "resources": {"requests": {"storage": size}}}
    return {"metadata": {"name": "data"}, "spec": spec | ({"storageClassName": storage_class} if storage_class else {})}


def a_class(name: str, provisioner: str = "csi.example.com", *, default: bool = False, late: bool = False) -> dict[str, Any]:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    mode = "WaitForFirstConsumer" if late else "Immediate"
    return {"metadata": {"name": name, "annotations": annotations}, "provisioner": provisioner, "volumeBindingMode": mode}


def claim(kube: Kube, **how: Any) -> None:
    kube.core.create_namespaced_persistent_volume_claim(NAMESPACE, a_claim(**how))


def phase(kube: Kube) -> str:
    return str(kube.core.read_namespaced_persistent_volume_claim("data", NAMESPACE).status.phase)


def mounting() -> dict[str, Any]:
    return a_deployment(volumes=[{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}])


def test_a_class_makes_the_volume_and_the_default_one_is_filled_in(kube: Kube) -> None:
    kube.storage.create_storage_class(a_class("standard", default=True))
    claim(kube)
    eventually(lambda: phase(kube) == "Bound")
    assert kube.core.read_namespaced_persistent_volume_claim("data", NAMESPACE).spec.storage_class_name == "standard"


def test_a_class_that_does_not_exist_is_told_and_its_pod_waits(kube: Kube) -> None:
    claim(kube, storage_class="fast")
    kube.deploy(mounting())
    assert kube.event("ProvisioningFailed") == 'storageclass.storage.k8s.io "fast" not found'
    eventually(lambda: any("unbound immediate" in message for message in kube.event_messages("FailedScheduling")))
    assert phase(kube) == "Pending"
    kube.storage.create_storage_class(a_class("fast"))
    eventually(lambda: phase(kube) == "Bound")
    kube.healthy()


def test_a_class_that_waits_for_a_pod_binds_when_the_pod_is_placed(kube: Kube) -> None:
    kube.storage.create_storage_class(a_class("late", late=True))
    claim(kube, storage_class="late")
    assert "waiting for first consumer" in kube.event("WaitForFirstConsumer")
    kube.deploy(mounting())
    kube.healthy()
    eventually(lambda: phase(kube) == "Bound")


@pytest.mark.parametrize(
    ("asked", "bound"),
    [
        pytest.param({}, True, id="fits"),
        pytest.param({"size": "9Gi"}, False, id="too-small"),
        pytest.param({"modes": ("ReadWriteMany",)}, False, id="access-mode"),
    ],
)
def test_a_volume_that_somebody_made_answers_only_what_it_fits(kube: Kube, asked: dict[str, Any], bound: bool) -> None:
    kube.storage.create_storage_class(a_class("by-hand", "kubernetes.io/no-provisioner"))
    spec = {"capacity": {"storage": "5Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "by-hand",
            "hostPath": {"path": "/data"}}  # fmt: skip
    kube.core.create_persistent_volume({"metadata": {"name": "v1"}, "spec": spec})
    claim(kube, storage_class="by-hand", **asked)
    if bound:
        eventually(lambda: phase(kube) == "Bound")
    else:
        assert "no persistent volumes available" in kube.event("FailedBinding")


def test_a_pod_whose_claim_is_not_there_waits(kube: Kube) -> None:
    kube.deploy(mounting())
    assert 'persistentvolumeclaim "data" not found' in kube.event("FailedScheduling")
