"""What an Alertmanager would send: one alert a webhook for the rates, whole groups for the storm."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from opsmend.domain.record import JsonObject

ALERT_NAMES: Final = (
    "KubePodCrashLooping",
    "KubePodNotReady",
    "KubeDeploymentReplicasMismatch",
    "KubeDeploymentRolloutStuck",
    "KubeContainerWaiting",
    "CPUThrottlingHigh",
    "HTTPErrorRateHigh",
    "HTTPLatencyHigh",
    "TargetDown",
    "KubeHpaMaxedOut",
)
"""Ten alerts that one broken Deployment sets off, most of them from kubernetes-mixin."""

CLUSTER: Final = "bench"
STARTED: Final = "2026-03-14T14:55:00.000Z"
_OPEN_END: Final = "0001-01-01T00:00:00Z"


def firing(name: str, namespace: str, deployment: str, fingerprint: str, severity: str = "critical") -> JsonObject:
    """One alert of some 800 bytes, with the labels and annotations that kubernetes-mixin gives it."""
    return {
        "status": "firing",
        "labels": {
            "alertname": name,
            "cluster": CLUSTER,
            "namespace": namespace,
            "deployment": deployment,
            "container": "app",
            "prometheus": "monitoring/k8s",
            "severity": severity,
        },
        "annotations": {
            "summary": f"{name} on {namespace}/{deployment}",
            "description": f"Deployment {namespace}/{deployment} has not been well for longer than 15 minutes.",
            "runbook_url": f"https://runbooks.prometheus-operator.dev/runbooks/kubernetes/{name.lower()}",
        },
        "startsAt": STARTED,
        "endsAt": _OPEN_END,
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=sum+by+%28namespace%2C+pod%29+%28up%29+%3D%3D+0",
        "fingerprint": fingerprint,
    }


def payload(alerts: list[JsonObject], group_labels: dict[str, str]) -> bytes:
    """A webhook body, version 4."""
    group = ", ".join(f'{key}="{value}"' for key, value in sorted(group_labels.items()))
    body: dict[str, Any] = {
        "version": "4",
        "groupKey": f"{{}}:{{{group}}}",
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "opsmend",
        "groupLabels": group_labels,
        "commonLabels": group_labels,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": alerts,
    }
    return json.dumps(body).encode()


def single(namespace: str, deployment: str, fingerprint: str, severity: str = "critical") -> bytes:
    """A webhook with one alert of one Deployment."""
    name = ALERT_NAMES[0]
    group = {"alertname": name, "namespace": namespace, "deployment": deployment}
    return payload([firing(name, namespace, deployment, fingerprint, severity)], group)


def to_new_targets(count: int, series: str) -> list[bytes]:
    """One alert each for `count` targets that no other series names."""
    return [single(series, f"app-{i}", f"{i:016x}") for i in range(count)]


def onto_open_targets(count: int, series: str, targets: int, first: int) -> list[bytes]:
    """Alerts that differ by fingerprint (numbered from `first`), spread over the same `targets` each time."""
    return [single(series, f"app-{i % targets}", f"{first + i:016x}") for i in range(count)]


def resends(count: int, series: str, targets: int) -> list[bytes]:
    """The same alert of each of `targets`, again and again."""
    return [single(series, f"app-{i % targets}", f"{i % targets:016x}") for i in range(count)]


@dataclass(frozen=True)
class Storm:
    """Many Deployments break at once, each with `alerts_each` alerts, grouped as Alertmanager is usually told to: by alert
    name and namespace."""

    targets: int
    alerts_each: int
    namespaces: int = 20

    @property
    def alerts(self) -> int:
        return self.targets * self.alerts_each

    def webhooks(self) -> Iterator[bytes]:
        for name in ALERT_NAMES[: self.alerts_each]:
            for space in range(self.namespaces):
                namespace = f"team-{space}"
                group = [
                    firing(name, namespace, f"app-{number}", self.fingerprint(name, number))
                    for number in range(space, self.targets, self.namespaces)
                ]
                if group:
                    yield payload(group, {"alertname": name, "namespace": namespace})

    @staticmethod
    def fingerprint(name: str, number: int) -> str:
        return f"{ALERT_NAMES.index(name):04x}{number:012x}"

    def expected(self) -> dict[str, set[str]]:
        """Incident id → fingerprints of its alerts."""
        return {
            f"incident:{CLUSTER}:team-{number % self.namespaces}:deployment:app-{number}": {
                self.fingerprint(name, number) for name in ALERT_NAMES[: self.alerts_each]
            }
            for number in range(self.targets)
        }
