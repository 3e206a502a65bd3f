"""What a HorizontalPodAutoscaler goes by, and how that stands: https://kubernetes.io/docs/reference/kubernetes-api/autoscaling/."""

from typing import Any, Final

from opsmend.domain.quantity import quantity
from opsmend.domain.record import JsonObject
from opsmend.domain.snapshot import AutoscalerMetric

_AMOUNTS: Final = {"Utilization": "averageUtilization", "AverageValue": "averageValue", "Value": "value"}
"""Types of a target, and where each stands in it and in the current state."""


def metrics_of(autoscaler: JsonObject) -> tuple[AutoscalerMetric, ...]:
    """Those whose target is understood, in the order of the spec."""
    status = autoscaler.get("status") or {}
    current = {_identity(metric): metric for metric in status.get("currentMetrics") or ()}
    found = [_metric(wanted, current.get(_identity(wanted))) for wanted in autoscaler["spec"].get("metrics") or ()]
    return tuple(metric for metric in found if metric is not None)


def _metric(wanted: JsonObject, current: JsonObject | None) -> AutoscalerMetric | None:
    target = _source(wanted).get("target") or {}
    field = _AMOUNTS.get(str(target.get("type")))
    amount = quantity(target.get(field)) if field else None
    if field is None or not amount:
        return None
    now = quantity((_source(current or {}).get("current") or {}).get(field))
    return AutoscalerMetric(
        name=_identity(wanted)[1],
        current=None if now is None else float(now),
        target=float(amount),
        unit="%" if field == "averageUtilization" else "",
    )


def _source(metric: JsonObject) -> dict[str, Any]:
    """The part that its type names: `Resource` → `resource`, `ContainerResource` → `containerResource`."""
    kind = str(metric.get("type") or "")
    source = metric.get(kind[:1].lower() + kind[1:])
    return source if isinstance(source, dict) else {}


def _identity(metric: JsonObject) -> tuple[str, str]:
    """Type and name; a container's metric by the container too, since several may be measured."""
    source = _source(metric)
    name = source.get("name") or (source.get("metric") or {}).get("name") or ""
    return str(metric.get("type")), f"{name} of {source['container']}" if source.get("container") else str(name)
