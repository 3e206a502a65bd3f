"""What one pod of a template asks for, as the scheduler and ResourceQuotas count it."""

from decimal import Decimal
from typing import Any

from opsmend.domain.quantity import quantity
from opsmend.domain.record import JsonObject


def pod_requests(template: JsonObject) -> dict[str, Decimal]:
    """Requests by resource: the sum over containers, or the largest init container where that is more, plus the overhead.

    A container without a request but with a limit asks for its limit, as the API server fills in.
    """
    return _total(template, "requests")


def pod_usage(template: JsonObject) -> dict[str, Decimal]:
    """What one pod takes of a ResourceQuota, by the quota's names (`requests.cpu`, `limits.memory`, `pods`…)."""
    requests, limits = _total(template, "requests"), _total(template, "limits")
    usage = {"pods": Decimal(1), "count/pods": Decimal(1)}
    for name, amount in requests.items():
        usage |= {f"requests.{name}": amount} | ({name: amount} if name in ("cpu", "memory") else {})
    return usage | {f"limits.{name}": amount for name, amount in limits.items()}


def _total(template: JsonObject, group: str) -> dict[str, Decimal]:
    spec = template.get("spec") or {}
    inits = spec.get("initContainers") or []
    # An init container that restarts is a sidecar and stays beside the others.
    staying = [*(spec.get("containers") or []), *(init for init in inits if init.get("restartPolicy"))]
    total = _sum([_amounts(container, group) for container in staying])
    for init in inits:
        for name, amount in _amounts(init, group).items():
            total[name] = max(total.get(name, Decimal(0)), amount)
    overhead = _quantities(spec.get("overhead"))
    # A pod without a limit has none for having an overhead.
    return _sum([total, overhead if group == "requests" else {name: overhead[name] for name in overhead.keys() & total.keys()}])


def _amounts(container: dict[str, Any], group: str) -> dict[str, Decimal]:
    resources = container.get("resources") or {}
    values = dict(resources.get(group) or {})
    if group == "requests":
        values = dict(resources.get("limits") or {}) | values
    return _quantities(values)


def _quantities(values: dict[str, Any] | None) -> dict[str, Decimal]:
    read = {name: quantity(value) for name, value in (values or {}).items()}
    return {name: amount for name, amount in read.items() if amount is not None}


def _sum(parts: list[dict[str, Decimal]]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for part in parts:
        for name, amount in part.items():
            total[name] = total.get(name, Decimal(0)) + amount
    return total
