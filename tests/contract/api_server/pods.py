"""Pods of no controller: nobody replaces them."""

from typing import Any

from tests.contract.embedded_cluster.kube import Kube, eventually
from tests.contract.embedded_cluster.manifests import a_container


def a_waiting_pod(kube: Kube, name: str, app: str) -> dict[str, Any]:
    """No scheduler takes it: it stays pending for as long as it is."""
    return a_pod(kube, name, app, schedulerName="nobody")


def a_pod(kube: Kube, name: str, app: str, **spec: Any) -> dict[str, Any]:
    base = {
        "containers": [a_container(kube.image)],
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
    }
    return {"metadata": {"name": name, "labels": {"app": app}}, "spec": {**base, **spec}}


def until_pods_are_taken(kube: Kube) -> None:
    """A pod is refused until its namespace has its default account."""
    eventually(lambda: kube.core.list_namespaced_service_account(kube.namespace).items)
