"""Reads: selectors, logs, endpoints, and errors that say what is not there."""

from typing import Any

import pytest
from kubernetes.client import ApiException
from tests.contract.embedded_cluster.kube import Kube, eventually, status_of
from tests.contract.embedded_cluster.manifests import a_container, a_deployment


def labelled(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}}


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("", {"a", "b", "c"}),
        ("app=web", {"a", "b"}),
        ("app==web,tier!=front", {"b"}),
        ("tier in (front, back)", {"a", "b"}),
        ("tier notin (front)", {"b", "c"}),
        ("tier", {"a", "b"}),
        ("!tier", {"c"}),
    ],
)
def test_label_selector_chooses(kube: Kube, selector: str, found: set[str]) -> None:
    for manifest in (labelled("a", app="web", tier="front"), labelled("b", app="web", tier="back"), labelled("c", app="db")):
        kube.core.create_namespaced_secret(kube.namespace, manifest)
    items = kube.core.list_namespaced_secret(kube.namespace, label_selector=selector).items
    assert {item.metadata.name for item in items} == found


def test_field_selectors_choose_pods_and_events(kube: Kube) -> None:
    kube.deploy(a_deployment(replicas=2, container=a_container(kube.image)))
    kube.healthy(2)
    pod = kube.pods()[0]
    by_node = kube.core.list_namespaced_pod(
        kube.namespace, field_selector=f"spec.nodeName={pod.spec.node_name},status.phase=Running"
    )
    assert pod.metadata.name in {p.metadata.name for p in by_node.items}
    assert all(p.spec.node_name == pod.spec.node_name for p in by_node.items)
    about = f"involvedObject.kind=Pod,involvedObject.name={pod.metadata.name},type=Normal"
    events = kube.core.list_namespaced_event(kube.namespace, field_selector=about).items
    assert {"Scheduled", "Started"} <= {event.reason for event in events}
    assert {event.involved_object.uid for event in events} == {pod.metadata.uid}


def test_field_that_no_server_indexes_is_refused(kube: Kube) -> None:
    with pytest.raises(ApiException) as caught:
        kube.core.list_namespaced_config_map(kube.namespace, field_selector="data.a=1")
    assert status_of(caught.value)["code"] == 400


@pytest.mark.parametrize(
    ("options", "check"),
    [
        ({"tail_lines": 1}, lambda text: text.count("\n") == 1),
        ({"limit_bytes": 10}, lambda text: len(text) == 10),
        ({"timestamps": True}, lambda text: text[:4].isdigit() and "T" in text[:12]),
        ({"since_seconds": 3600}, lambda text: "\n" in text),
    ],
    ids=["tail", "bytes", "timestamps", "since"],
)
def test_log_is_cut_as_asked(kube: Kube, options: dict[str, Any], check: Any) -> None:
    kube.deploy(a_deployment(container=a_container(kube.image)))
    kube.healthy()
    name = kube.pods()[0].metadata.name
    eventually(lambda: kube.words in kube.core.read_namespaced_pod_log(name, kube.namespace))
    text = kube.core.read_namespaced_pod_log(name, kube.namespace, **options)
    assert check(text), text


def test_service_has_endpoints_of_ready_pods_only(kube: Kube) -> None:
    service = {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]}}
    kube.core.create_namespaced_service(kube.namespace, service)
    kube.deploy(a_deployment(replicas=2, container=a_container(kube.image, ports=[{"name": "http", "containerPort": 8080}])))
    kube.healthy(2)

    def ready() -> Any:
        subsets = kube.core.read_namespaced_endpoints("web", kube.namespace).subsets or []
        return [s for s in subsets if len(s.addresses or []) == 2 and s.ports[0].port == 8080]

    eventually(ready)
    slices = kube.discovery.list_namespaced_endpoint_slice(kube.namespace, label_selector="kubernetes.io/service-name=web")
    assert len(slices.items[0].endpoints) == 2
