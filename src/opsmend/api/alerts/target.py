"""Which object an alert is about, from its labels alone.

Precedence; the first that is validly named wins, for what names a workload beats what merely runs it:

1. a workload or job: deployment, statefulset, daemonset, cronjob, job_name, replicaset, `workload` with `workload_type`,
   horizontalpodautoscaler, resourcequota
2. a pod: its workload by the form of its name; the pod is kept, so that the true owner is looked up later
3. a persistent volume claim: read, but nothing of ours acts on one
4. a service
5. a node, also as the host part of `instance` where a node's own exporter alerts
6. the pod of kube-state-metrics when it was scraped itself: that label mostly tells who measured, not what is broken
7. nothing: a group, by a digest over the sender's own grouping

What is in a namespace keeps the node that the labels name: while that node has an open incident, its alerts join that one.

Prometheus' `job` is the scrape job and never a Kubernetes Job. `exported_<label>` is what Prometheus calls a metric's own
label when the scrape target has one of the same name; where one stands, the plain `pod` and `service` describe the exporter.
Labels come from outside: a value that is no Kubernetes name (RFC 1123) counts as absent.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from opsmend.api.alerts.pod_owner import owner_of_job, owner_of_pod, owner_of_replica_set
from opsmend.domain.record import digest
from opsmend.domain.target import Kind, Target

_DNS_LABEL: Final = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = re.compile(rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*")
_CLUSTER: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_IP_ADDRESS: Final = re.compile(r"\d+(?:\.\d+){3}")
_LABEL_LENGTH: Final = 63
_SUBDOMAIN_LENGTH: Final = 253

_STATE_EXPORTER: Final = "kube-state-metrics"
_NODE_EXPORTERS: Final = ("node-exporter", "kubelet")
_BARE_NODE_JOB: Final = "node"
"""The job of node-exporter in Prometheus' own examples; only as a whole, for many a service is called something-node."""

_LABELS: Final[dict[str, tuple[str, ...]]] = {
    "cluster": ("cluster", "k8s_cluster_name", "kube_cluster_name"),
    "namespace": ("exported_namespace", "namespace", "kubernetes_namespace", "k8s_namespace_name", "kube_namespace"),
    "deployment": ("deployment", "k8s_deployment_name", "kube_deployment"),
    "statefulset": ("statefulset", "k8s_statefulset_name", "kube_stateful_set"),
    "daemonset": ("daemonset", "k8s_daemonset_name", "kube_daemon_set"),
    "cronjob": ("cronjob", "k8s_cronjob_name", "kube_cronjob"),
    "job": ("job_name", "k8s_job_name", "kube_job"),
    "replicaset": ("replicaset", "k8s_replicaset_name", "kube_replica_set"),
    "workload": ("workload",),
    "autoscaler": ("horizontalpodautoscaler",),
    "quota": ("resourcequota",),
    "pod": ("exported_pod", "pod", "pod_name", "kubernetes_pod_name", "k8s_pod_name"),
    "claim": ("persistentvolumeclaim",),
    "service": ("exported_service", "service", "kubernetes_service", "kube_service"),
    "node": ("exported_node", "node", "nodename", "kubernetes_node", "k8s_node_name", "kube_node"),
}
"""What is looked for, and the labels that may hold it, best first: Prometheus and its operator, OpenTelemetry, Datadog."""

_WORKLOAD_TYPES: Final = {
    "deployment": Kind.DEPLOYMENT,
    "statefulset": Kind.STATEFUL_SET,
    "daemonset": Kind.DAEMON_SET,
    "job": Kind.JOB,
    "cronjob": Kind.CRON_JOB,
    "replicaset": Kind.REPLICA_SET,
}
"""Values of `workload_type`, which kubernetes-mixin's recording rules put beside `workload`."""


class _Found(NamedTuple):
    kind: Kind
    name: str
    pod: str | None = None


def target_of(labels: Mapping[str, str], *, default_cluster: str, group_key: str) -> Target:
    """The target of an alert; a group over `group_key` where no label names one. Raises nothing, whatever the labels are.

    `group_key` is what the sender groups by: alerts without a target that share it share an incident.
    """
    cluster = cluster_of(labels, default_cluster)
    namespace = _name(labels, "namespace", _LABEL_LENGTH)
    found = next(_candidates(labels, namespace), _Found(Kind.GROUP, ""))
    if found.kind is Kind.GROUP:
        return Target(cluster=cluster, kind=Kind.GROUP, name=digest([cluster, group_key])[:32])
    if found.kind is Kind.NODE:
        return Target(cluster=cluster, kind=found.kind, name=found.name)
    node = _name(labels, "node") or None
    return Target(cluster=cluster, kind=found.kind, namespace=namespace, name=found.name, pod=found.pod, node=node)


def cluster_of(labels: Mapping[str, str], default: str) -> str:
    """The cluster that a label names, else `default`."""
    for label in _LABELS["cluster"]:
        value = labels.get(label, "")
        if 0 < len(value) <= _LABEL_LENGTH and _CLUSTER.fullmatch(value):
            return value
    return default


def _candidates(labels: Mapping[str, str], namespace: str) -> Iterator[_Found]:
    """All that the labels may mean, in the order of the module's docstring."""
    pod, service = _subject(labels, "pod"), _subject(labels, "service")
    scraper = _scraper(labels)
    if namespace:
        yield from _workloads(labels)
        if pod and not _describes_exporter(pod, scraper):
            yield _Found(*owner_of_pod(pod), pod=pod)
    if claim := _name(labels, "claim"):
        yield _Found(Kind.PERSISTENT_VOLUME_CLAIM, claim) if namespace else _Found(Kind.GROUP, "")
    if namespace and service and not _describes_exporter(service, scraper):
        yield _Found(Kind.SERVICE, service)
    if node := _name(labels, "node") or _node_of_instance(labels.get("instance", ""), scraper):
        yield _Found(Kind.NODE, node)
    if namespace and pod and scraper == _STATE_EXPORTER:
        yield _Found(*owner_of_pod(pod), pod=pod)


def _workloads(labels: Mapping[str, str]) -> Iterator[_Found]:
    for what, kind in (("deployment", Kind.DEPLOYMENT), ("statefulset", Kind.STATEFUL_SET), ("daemonset", Kind.DAEMON_SET)):
        if name := _name(labels, what):
            yield _Found(kind, name)
    if name := _name(labels, "cronjob"):
        yield _Found(Kind.CRON_JOB, name)
    if name := _name(labels, "job"):
        yield _Found(*owner_of_job(name))
    if name := _name(labels, "replicaset"):
        yield _Found(*owner_of_replica_set(name))
    kind_of_workload = _WORKLOAD_TYPES.get(labels.get("workload_type", "").lower())
    if kind_of_workload and (name := _name(labels, "workload")):
        yield _Found(kind_of_workload, name)
    if name := _name(labels, "autoscaler"):
        yield _Found(Kind.HORIZONTAL_POD_AUTOSCALER, name)
    if name := _name(labels, "quota"):
        yield _Found(Kind.RESOURCE_QUOTA, name)


def _name(labels: Mapping[str, str], what: str, longest: int = _SUBDOMAIN_LENGTH) -> str:
    """The first valid name among the labels for `what`, else empty."""
    for label in _LABELS[what]:
        value = labels.get(label, "")
        if 0 < len(value) <= longest and _SUBDOMAIN.fullmatch(value):
            return value
    return ""


def _subject(labels: Mapping[str, str], what: str) -> str:
    """As _name, but the plain label counts only where it cannot be the exporter's."""
    if f"exported_{what}" not in labels and any(label.startswith("exported_") for label in labels):
        return ""
    return _name(labels, what)


def _scraper(labels: Mapping[str, str]) -> str:
    """The exporter that was scraped, told from the scrape job (`prod/node_exporter` is node-exporter); empty for others."""
    job = labels.get("job", "").replace("_", "-")
    if job == _BARE_NODE_JOB:
        return _NODE_EXPORTERS[0]
    return next((exporter for exporter in (*_NODE_EXPORTERS, _STATE_EXPORTER) if job.endswith(exporter)), "")


def _describes_exporter(name: str, scraper: str) -> bool:
    """Whether `name` is of the exporter itself (`kube-state-metrics-5d4…`), so that it tells who measured."""
    return bool(scraper) and scraper in name


def _node_of_instance(instance: str, scraper: str) -> str:
    """The host of `host:port` where a node's own exporter was scraped by name; an address is no node's name."""
    if scraper not in _NODE_EXPORTERS:
        return ""
    host = instance.partition(":")[0]
    valid = 0 < len(host) <= _SUBDOMAIN_LENGTH and _SUBDOMAIN.fullmatch(host) and not _IP_ADDRESS.fullmatch(host)
    return host if valid else ""
