"""What pods use right now, from the metrics API (metrics-server): https://github.com/kubernetes-sigs/metrics-server."""

from decimal import Decimal

from opsmend.adapters.kubernetes.reading import Reading
from opsmend.adapters.kubernetes.resources import POD_METRICS
from opsmend.domain.quantity import quantity
from opsmend.domain.snapshot import Workload


async def read_cpu(reading: Reading, workload: Workload) -> dict[str, float]:
    """Cores by pod. A pod of which a container is not measured is left out."""
    labels = ",".join(f"{key}={value}" for key, value in workload.selector.items())
    found = {}
    for item in await reading.list(POD_METRICS, workload.ref.namespace, labels=labels):
        used = [quantity((container.get("usage") or {}).get("cpu")) for container in item.get("containers") or ()]
        if used and None not in used:
            found[item["metadata"]["name"]] = float(sum((amount for amount in used if amount), Decimal(0)))
    return found
