"""What the replicas carry, where nothing else is wrong with them."""

from opsmend.domain.alert import Alert
from opsmend.domain.health import assess
from opsmend.domain.load import Load, LoadSource
from opsmend.domain.ports.cluster import ClusterReader
from opsmend.domain.ports.metrics import Metrics
from opsmend.domain.snapshot import Snapshot, Workload
from opsmend.domain.target import Kind
from opsmend.domain.verification import Health
from opsmend.errors import ClusterForbiddenError, ClusterRejectedError, MetricsUnavailableError, TargetGoneError


async def look_at_load(cluster: ClusterReader, metrics: Metrics, snapshot: Snapshot, alerts: tuple[Alert, ...]) -> Snapshot:
    """By the rules of the alerts; without such a rule, the CPU of the pods. Without an answering Prometheus, nothing."""
    workload = snapshot.workload
    if workload is None or workload.ref.kind is Kind.DAEMON_SET or not workload.desired_replicas:
        return snapshot
    if assess(snapshot).health is not Health.HEALTHY:
        return snapshot
    calls = snapshot.api_calls
    try:
        load = await _by_rule(metrics, workload, alerts)
        if load is None:
            load, calls = await _by_cpu(cluster, snapshot, workload), calls + 1
    except (MetricsUnavailableError, ClusterForbiddenError) as e:
        return snapshot.model_copy(update={"unseen": (*snapshot.unseen, f"load of the replicas: {e}")})
    return snapshot.model_copy(update={"load": load, "api_calls": calls})


async def _by_rule(metrics: Metrics, workload: Workload, alerts: tuple[Alert, ...]) -> Load | None:
    """Of the rule that is over its limit by most; the CPU that Prometheus knows where no rule tells."""
    found = [load for alert in alerts if (load := await metrics.load(alert, workload.ref))]
    return max(found, key=_excess, default=None)


def _excess(load: Load) -> tuple[bool, float]:
    return load.source is LoadSource.RULE, load.per_replica / load.limit if load.limit else 0.0


async def _by_cpu(cluster: ClusterReader, snapshot: Snapshot, workload: Workload) -> Load | None:
    """Of all pods of the workload; one that is not measured leaves the whole untold."""
    try:
        cores = await cluster.cpu(workload)
    except (TargetGoneError, ClusterRejectedError):
        return None
    pods = [pod.name for pod in snapshot.pods if not pod.deleting and pod.phase == "Running"]
    if not pods or any(name not in cores for name in pods):
        return None
    total = sum(cores[name] for name in pods)
    return Load(
        source=LoadSource.CPU,
        per_replica=total / len(pods),
        replicas=len(pods),
        unit=" cores",
        expression=f"CPU of the pods of {workload.ref}, from the metrics API",
    )
