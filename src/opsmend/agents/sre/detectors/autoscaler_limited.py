"""An autoscaler wants more replicas than it may have."""

from math import ceil
from typing import Final

from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.notes import Notes
from opsmend.agents.sre.reading.room import why_no_room
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.health import limited
from opsmend.domain.snapshot import Autoscaler, AutoscalerMetric, Snapshot, Workload

MOST: Final = 2
"""Times its present maximum. What asks for more than that is no matter of a bound any more."""
TOLERANCE: Final = 0.1
"""Kubernetes' own: a metric so near its target scales nothing."""


def detect(snapshot: Snapshot) -> list[Finding]:
    """Abstains where the load has gone since: the condition stays until the autoscaler looks again."""
    workload = snapshot.workload
    if workload is None:
        return []
    return [
        _finding(snapshot, workload, scaler)
        for scaler in snapshot.autoscalers
        if limited(scaler) and (_unknown(scaler) or wanted(scaler) > scaler.max_replicas)
    ]


def wanted(scaler: Autoscaler) -> int:
    """How many replicas it would choose without a bound: ceil(current x value / target), the most over its metrics.

    https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/#algorithm-details
    """
    return max((_replicas(scaler, metric) for metric in scaler.metrics), default=0)


def _replicas(scaler: Autoscaler, metric: AutoscalerMetric) -> int:
    if metric.current is None or abs(metric.current / metric.target - 1) <= TOLERANCE:
        return 0
    # Rounded first: 6 x 0.15 / 0.09 is a little more than ten.
    return ceil(round(scaler.current_replicas * metric.current / metric.target, 6))


def _unknown(scaler: Autoscaler) -> bool:
    return all(metric.current is None for metric in scaler.metrics)


def _finding(snapshot: Snapshot, workload: Workload, scaler: Autoscaler) -> Finding:
    notes = Notes()
    condition = next((c for c in scaler.conditions if c.type == "ScalingLimited"), None)
    if condition:
        notes.add(str(scaler.ref), f"ScalingLimited is True: {condition.reason}: {condition.message}", condition.since)
    bounds = f"{scaler.current_replicas} replicas, between {scaler.min_replicas} and {scaler.max_replicas} are allowed"
    notes.add(str(scaler.ref), f"{bounds}; {_told(scaler)}")
    hint = _hint(snapshot, workload, scaler)
    return FAILURE.finding(
        resource=scaler.ref,
        summary=f"{scaler.ref} may give {workload.ref} no more than {scaler.max_replicas} replicas, and {_told(scaler)}",
        confidence=0.9 if hint.remedy is Remedy.RAISE_AUTOSCALER else 0.8 if wanted(scaler) else 0.6,
        evidence=notes.evidence,
        hints=(hint,),
        beside=(scaler.ref,),
    )


def _hint(snapshot: Snapshot, workload: Workload, scaler: Autoscaler) -> Hint:
    most = wanted(scaler)
    reckoned = _reckoned(scaler, most)
    spare = 1 if snapshot.fires_at_maximum else 0
    if not most:
        return _nothing(scaler, "what it goes by is not measured, so that how many replicas it would need cannot be told")
    if most + spare > MOST * scaler.max_replicas:
        return _nothing(scaler, f"{reckoned}, more than {MOST} times the {scaler.max_replicas} allowed: a person decides")
    lacking = most - max(scaler.current_replicas, workload.replicas)
    if full := why_no_room(snapshot, workload.template, max(lacking, 1)):
        return _nothing(scaler, f"{reckoned}, but {full}")
    reason = f"{reckoned}, which is what the autoscaler itself would choose; it may choose {scaler.max_replicas} at most now"
    if spare:
        reason += f"; the alert fires as long as it uses all that it may have, so one more than it needs: {most + spare}"
    return Hint(remedy=Remedy.RAISE_AUTOSCALER, object=scaler.ref, max_replicas=most + spare, reason=reason)


def _reckoned(scaler: Autoscaler, most: int) -> str:
    """The arithmetic of the metric that asks for most."""
    metric = next((m for m in scaler.metrics if m.current is not None and _replicas(scaler, m) == most), None)
    if metric is None or metric.current is None:
        return ""
    value, target = _amount(metric.current, metric.unit), _amount(metric.target, metric.unit)
    return f"{metric.name} is at {value} of {target}: {scaler.current_replicas} x {value} / {target} makes {most} replicas"


def _told(scaler: Autoscaler) -> str:
    return ", ".join(map(_metric, scaler.metrics)) or "it names no metric"


def _metric(metric: AutoscalerMetric) -> str:
    value = "unknown" if metric.current is None else f"at {_amount(metric.current, metric.unit)}"
    return f"{metric.name} is {value} (target {_amount(metric.target, metric.unit)})"


def _amount(number: float, unit: str) -> str:
    return f"{number:.4g}{unit}"


def _nothing(scaler: Autoscaler, reason: str) -> Hint:
    return Hint(remedy=Remedy.NONE, object=scaler.ref, reason=reason)


FAILURE: Final = FailureClass(
    name="autoscaler_limited",
    rank=5,
    detect=detect,
    seen_in="autoscalers",
    not_found="its autoscaler does not want more replicas than it may have",
    restart_is_useless="new pods would carry the same load",
    scaling_is_useless="its autoscaler would set the number back within seconds",
)
