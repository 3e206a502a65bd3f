"""Which object an alert is taken to be about."""

from typing import Final

import pytest

from opsmend.api.alerts.target import target_of
from opsmend.domain.target import Kind, Target

KSM: Final = {
    "job": "kube-state-metrics",
    "instance": "10.1.2.3:8080",
    "service": "kps-kube-state-metrics",
    "container": "kube-state-metrics",
    "pod": "kps-kube-state-metrics-7c9b4d6f58-t4kqz",
    "namespace": "monitoring",
}
"""The labels of a kube-state-metrics scrape; a metric's own labels replace them where they have the same name."""


def target(labels: dict[str, str], group_key: str = "g") -> Target:
    return target_of(labels, default_cluster="prod", group_key=group_key)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        pytest.param({"namespace": "shop", "deployment": "web"}, "Deployment shop/web", id="deployment"),
        pytest.param({"namespace": "shop", "statefulset": "db"}, "StatefulSet shop/db", id="statefulset"),
        pytest.param({"namespace": "shop", "daemonset": "agent"}, "DaemonSet shop/agent", id="daemonset"),
        pytest.param({"namespace": "shop", "job_name": "migrate"}, "Job shop/migrate", id="job_name"),
        pytest.param({"namespace": "shop", "job_name": "backup-29561040"}, "CronJob shop/backup", id="run of a cronjob"),
        pytest.param(
            {"namespace": "shop", "job_name": "migrate-20260314"}, "Job shop/migrate-20260314", id="job named by date"
        ),
        pytest.param({"namespace": "shop", "cronjob": "backup"}, "CronJob shop/backup", id="cronjob"),
        pytest.param({"namespace": "shop", "service": "web"}, "Service shop/web", id="service"),
        pytest.param({"node": "worker-2"}, "Node worker-2", id="node"),
        pytest.param({"namespace": "shop", "replicaset": "web-6d4cf8b7d9"}, "Deployment shop/web", id="generated replicaset"),
        pytest.param({"namespace": "shop", "replicaset": "legacy"}, "ReplicaSet shop/legacy", id="own replicaset"),
        pytest.param(
            {"namespace": "shop", "workload": "web", "workload_type": "deployment"}, "Deployment shop/web", id="workload"
        ),
        pytest.param(
            {"namespace": "shop", "horizontalpodautoscaler": "web"}, "HorizontalPodAutoscaler shop/web", id="autoscaler"
        ),
        pytest.param({"namespace": "shop", "resourcequota": "team"}, "ResourceQuota shop/team", id="quota"),
        pytest.param({"k8s_namespace_name": "shop", "k8s_deployment_name": "web"}, "Deployment shop/web", id="opentelemetry"),
        pytest.param({"kube_namespace": "shop", "kube_stateful_set": "db"}, "StatefulSet shop/db", id="datadog"),
        pytest.param(
            {"namespace": "shop", "deployment": "web", "pod": "other-0", "service": "x", "node": "n"},
            "Deployment shop/web",
            id="a workload's name beats all that runs it",
        ),
        pytest.param(
            {"namespace": "shop", "pod": "db-0", "service": "x", "node": "n"}, "StatefulSet shop/db", id="pod beats node"
        ),
        pytest.param({"namespace": "shop", "job": "web", "service": "web"}, "Service shop/web", id="scrape job is no Job"),
        pytest.param(
            {"namespace": "shop", "pod": "web-0", "job": "web"}, "StatefulSet shop/web", id="an app that is scraped itself"
        ),
        pytest.param({"job": "node-exporter", "instance": "worker-2:9100"}, "Node worker-2", id="instance of a node exporter"),
        pytest.param({"job": "node", "instance": "worker-2"}, "Node worker-2", id="instance without port"),
        pytest.param(
            {"job": "node-exporter", "namespace": "monitoring", "pod": "kps-node-exporter-8x2kq", "node": "worker-2"},
            "Node worker-2",
            id="a node's exporter is not the subject",
        ),
        pytest.param(KSM | {"node": "worker-2"}, "Node worker-2", id="node measured by kube-state-metrics"),
        pytest.param(
            KSM | {"namespace": "shop", "persistentvolumeclaim": "data", "node": "worker-2"},
            "PersistentVolumeClaim shop/data",
            id="claim before the node that measured it",
        ),
        pytest.param(
            KSM | {"namespace": "shop", "horizontalpodautoscaler": "web"}, "HorizontalPodAutoscaler shop/web", id="autoscaler"
        ),
        pytest.param(KSM | {"namespace": "shop", "deployment": "web"}, "Deployment shop/web", id="deployment measured by it"),
        pytest.param(KSM | {"namespace": "shop", "pod": "web-0"}, "StatefulSet shop/web", id="pod measured by it"),
        pytest.param(KSM, "Deployment monitoring/kps-kube-state-metrics", id="kube-state-metrics itself"),
        pytest.param(
            KSM | {"exported_namespace": "shop", "exported_pod": "web-0"}, "StatefulSet shop/web", id="labels not honoured, pod"
        ),
        pytest.param(
            KSM | {"exported_namespace": "db", "statefulset": "postgres"},
            "StatefulSet db/postgres",
            id="not honoured, workload",
        ),
        pytest.param(
            {"exported_namespace": "shop", "namespace": "mon", "pod": "exporter-0", "exported_service": "web"},
            "Service shop/web",
            id="not honoured, service",
        ),
    ],
)
def test_labels_name_the_target(labels: dict[str, str], expected: str) -> None:
    assert str(target(labels)) == expected


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        pytest.param("web-6d4cf8b7d9-x7k2p", "Deployment shop/web", id="deployment"),
        pytest.param("my-web-2-5bc964-x7k2p", "Deployment shop/my-web-2", id="short hash"),
        pytest.param("kafka-12", "StatefulSet shop/kafka", id="statefulset"),
        pytest.param("fluentd-x7k2p", "DaemonSet shop/fluentd", id="daemonset"),
        pytest.param("backup-29561040-x7k2p", "CronJob shop/backup", id="cronjob"),
        pytest.param("debug", "Pod shop/debug", id="bare pod"),
        pytest.param("web-canary-aeiou", "Pod shop/web-canary-aeiou", id="vowels are never generated"),
    ],
)
def test_workload_is_told_from_the_pods_generated_name_and_the_pod_is_kept(pod: str, expected: str) -> None:
    found = target({"namespace": "shop", "pod": pod})
    assert (str(found), found.pod) == (expected, pod)


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"deployment": "web"}, id="no namespace"),
        pytest.param({"namespace": "shop"}, id="only a namespace"),
        pytest.param({"namespace": "shop", "deployment": "Web"}, id="upper case"),
        pytest.param({"namespace": "shop", "deployment": "web\n"}, id="trailing newline"),
        pytest.param({"namespace": "shop", "deployment": "a" * 254}, id="name too long"),
        pytest.param({"namespace": "n" * 64, "deployment": "web"}, id="namespace too long"),
        pytest.param({"namespace": "shop", "pod": "../../etc/passwd"}, id="path"),
        pytest.param({"namespace": "shop", "pod": "web:0"}, id="a colon would break the id"),
        pytest.param({"namespace": "shop", "service": "$(reboot)"}, id="shell"),
        pytest.param({"node": "a" * 1_000_000}, id="a megabyte"),
        pytest.param({"node": "-" * 200_000 + "!"}, id="regex bait"),
        pytest.param({"namespace": "shop", "deployment": "web\u0000"}, id="nul"),
        pytest.param({"persistentvolumeclaim": "data"}, id="a claim without its namespace"),
        pytest.param({"job": "node-exporter", "instance": "10.0.0.7:9100"}, id="an address is no node"),
        pytest.param({"job": "web", "instance": "web.example:8080"}, id="instance of an application"),
        pytest.param(
            {"job": "node-exporter", "instance": "10.0.0.7:9100", "namespace": "monitoring", "pod": "node-exporter-8x2kq"},
            id="the exporter of an unnamed node",
        ),
    ],
)
def test_without_a_valid_name_the_alert_belongs_to_its_group(labels: dict[str, str]) -> None:
    found = target(labels)
    assert found.kind is Kind.GROUP
    assert len(found.incident_id) < 60


def test_groups_are_told_apart_by_what_the_sender_groups_by() -> None:
    assert target({}, "a") == target({"x": "y"}, "a")
    assert target({}, "a") != target({}, "b")


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        pytest.param("staging-eu", "staging-eu", id="valid"),
        pytest.param("gke_project_zone_Name", "gke_project_zone_Name", id="as clouds name them"),
        pytest.param("arn:aws:eks:eu:1:cluster/x", "prod", id="colons and slashes"),
        pytest.param("", "prod", id="empty"),
        pytest.param("c" * 64, "prod", id="too long"),
    ],
)
def test_cluster_label_is_used_where_it_is_a_plain_name(label: str, expected: str) -> None:
    assert target({"cluster": label, "node": "n1"}).cluster == expected
