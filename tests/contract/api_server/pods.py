"""Pods that no scheduler takes: they stay pending for as long as they are."""

from typing import Any

from tests.contract.embedded_cluster.kube import Kube, eventually
from tests.contract.embedded_cluster.manifests import a_container


def a_waiting_pod(kube: Kube, name: str, app: str) -> dict[str, Any]:
    spec = {"schedulerName": "nobody", "containers": [a_container(kube.image)], "automountServiceAccountToken": False}
    return {"metadata": {"name": name, "labels": {"app": app}}, "spec": spec}


def until_pods_are_taken(kube: Kube) -> None:
    """A pod is refused until its namespace has its default account."""
    eventually(lambda: kube.core.list_namespaced_service_account(kube.namespace).items)
