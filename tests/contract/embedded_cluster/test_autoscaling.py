"""Load is shared by the pods that carry it; the metrics API tells it and the autoscaler follows it, within its bounds."""

import time
from typing import Any

from tests.contract.embedded_cluster.conftest import StartCluster
from tests.contract.embedded_cluster.kube import NAMESPACE, Kube, eventually
from tests.contract.embedded_cluster.manifests import a_container, a_deployment

from opsmend_cluster.timing import Timing

BUSY = {"name": "busy", "when": {"image": "shop/app"}, "then": {"effect": "uses_cpu", "cores": "600m"}}
REQUESTS = {"requests": {"cpu": "100m"}}
FIVE_MINUTES = 300
"""Kubernetes' own --horizontal-pod-autoscaler-downscale-stabilization."""


def an_autoscaler(most: int = 10, **metric: Any) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": 80}
    resource = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": reference, "minReplicas": 2, "maxReplicas": most, "metrics": [metric or resource]}
    return {"metadata": {"name": "web"}, "spec": spec}


def scaled(kube: Kube) -> Any:
    return kube.autoscaling.read_namespaced_horizontal_pod_autoscaler("web", NAMESPACE)


def conditions(kube: Kube) -> dict[str, tuple[str, str]]:
    return {c.type: (c.status, c.reason) for c in scaled(kube).status.conditions or []}


def with_autoscaler(start: StartCluster, **how: Any) -> Kube:
    kube = start(rules=[BUSY])
    kube.deploy(a_deployment(replicas=2, container=a_container("shop/app:1", resources=REQUESTS)))
    kube.healthy(2)
    kube.autoscaling.create_namespaced_horizontal_pod_autoscaler(NAMESPACE, an_autoscaler(**how))
    return kube


def test_what_the_pods_use_is_their_share_of_the_load(start: StartCluster) -> None:
    kube = start(rules=[BUSY])
    kube.deploy(a_deployment(replicas=3, container=a_container("shop/app:1", resources=REQUESTS)))
    kube.healthy(3)
    assert {item["containers"][0]["usage"]["cpu"] for item in kube.metrics["items"]} == {"201000000n"}


def test_replicas_are_added_until_each_is_at_its_target(start: StartCluster) -> None:
    kube = with_autoscaler(start)
    kube.healthy(8)
    assert any(message.startswith("New size: ") for message in kube.event_messages("SuccessfulRescale"))
    eventually(lambda: conditions(kube).get("ScalingLimited") == ("False", "DesiredWithinRange"))


def test_at_its_maximum_it_says_that_it_wants_more(start: StartCluster) -> None:
    kube = with_autoscaler(start, most=5)
    kube.healthy(5)
    eventually(lambda: conditions(kube).get("ScalingLimited") == ("True", "TooManyReplicas"))
    eventually(lambda: scaled(kube).status.current_metrics[0].resource.current.average_utilization == 121)
    assert scaled(kube).status.current_replicas == 5


def test_a_metric_without_a_source_is_told_and_scales_nothing(start: StartCluster) -> None:
    queue = {"type": "External", "external": {"metric": {"name": "queue"}, "target": {"type": "Value", "value": "5"}}}
    kube = with_autoscaler(start, **queue)
    eventually(lambda: conditions(kube).get("ScalingActive") == ("False", "FailedGetResourceMetric"))
    assert kube.deployment().spec.replicas == 2


def test_fewer_are_taken_only_once_they_were_enough_for_a_while(start: StartCluster) -> None:
    kube = with_autoscaler(start)
    kube.healthy(8)
    began = time.monotonic()
    kube.admin("DELETE", "rules/busy")
    kube.healthy(2)
    assert time.monotonic() - began >= Timing().real(FIVE_MINUTES)
