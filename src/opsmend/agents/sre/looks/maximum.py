"""Whether an alert goes on firing while an autoscaler uses all that it may have, where one wants more than that."""

from opsmend.domain.alert import Alert
from opsmend.domain.health import limited
from opsmend.domain.ports.metrics import Metrics
from opsmend.domain.snapshot import Snapshot
from opsmend.errors import MetricsUnavailableError


async def look_at_maximum(metrics: Metrics, snapshot: Snapshot, alerts: tuple[Alert, ...]) -> Snapshot:
    """kubernetes-mixin's KubeHpaMaxedOut is such an alert: a new maximum that is used up at once would not end it."""
    if not any(map(limited, snapshot.autoscalers)):
        return snapshot
    try:
        fires = [await metrics.fires_at_maximum(alert) for alert in alerts]
    except MetricsUnavailableError as e:
        return snapshot.model_copy(update={"unseen": (*snapshot.unseen, f"rules of the alerts: {e}")})
    return snapshot.model_copy(update={"fires_at_maximum": any(fires)})
