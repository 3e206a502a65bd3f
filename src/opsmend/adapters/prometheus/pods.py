"""Restarts and memory of a target's pods, from kube-state-metrics and cAdvisor where they are scraped."""

import math
import re
from typing import Final

from opsmend.adapters.prometheus.api import BadQueryError, PrometheusApi, Series
from opsmend.adapters.prometheus.sentences import binary_size
from opsmend.domain.target import WORKLOAD_KINDS, Kind, ObjectRef, Target

DNS_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""What Kubernetes takes as the name of a namespace. Nothing else is put into a query: it narrows it to one namespace, for the
answer about all pods of a large cluster would be megabytes."""
_RESTARTS: Final = 'increase(kube_pod_container_status_restarts_total{namespace="%s"}[1h])'
_MEMORY: Final = 'max_over_time(container_memory_working_set_bytes{namespace="%s",container!="",container!="POD"}[1h])'
_LIMIT: Final = 'kube_pod_container_resource_limits{namespace="%s",resource="memory"}'
_SHOWN: Final = 5


async def pods_evidence(api: PrometheusApi, target: Target) -> list[str]:
    """Up to one sentence on restarts and one on memory; none where nothing is known."""
    if target.kind not in WORKLOAD_KINDS | {Kind.POD} or not DNS_LABEL.fullmatch(target.namespace):
        return []
    restarts = {who: value for who, value in (await _by_container(api, _RESTARTS, target)).items() if value >= 0.5}
    memory = await _by_container(api, _MEMORY, target)
    limits = await _by_container(api, _LIMIT, target) if memory else {}
    sentences = []
    if restarts:
        listed = ", ".join(f"{who} {value:.0f}" for who, value in _most(restarts))
        sentences.append(f"restarts in the last hour, extrapolated: {listed}")
    if memory:
        listed = ", ".join(
            f"{who} {binary_size(value)}" + (f" of {binary_size(limits[who])}" if who in limits else "")
            for who, value in _most(memory)
        )
        sentences.append(f"highest memory in the last hour: {listed}")
    return sentences


async def _by_container(api: PrometheusApi, query: str, target: Target) -> dict[str, float]:
    """`pod/container` → value, for the pods that belong to `target` by their name."""
    try:
        answer = await api.query(query % target.namespace)
    except BadQueryError:
        return {}
    found = {}
    for series in answer.data:
        pod, container = series.metric.get("pod", ""), series.metric.get("container", "")
        value = _finite(series)
        if value is not None and belongs(pod, target) and series.metric.get("namespace") == target.namespace:
            found[f"{pod}/{container}"] = value
    return found


def belongs(pod: str, target: Target | ObjectRef) -> bool:
    """Kubernetes names the pods of a Deployment `<name>-<hash>-<suffix>`, of the others `<name>-<suffix>`."""
    if target.kind is Kind.POD:
        return pod == target.name
    parts = 2 if target.kind is Kind.DEPLOYMENT else 1
    return pod.rsplit("-", parts)[0] == target.name


def _finite(series: Series) -> float | None:
    value = series.value[1] if series.value else math.nan
    return value if math.isfinite(value) else None


def _most(values: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(values.items(), key=lambda item: -item[1])[:_SHOWN]
