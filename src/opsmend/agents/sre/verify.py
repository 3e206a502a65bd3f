"""Whether a fix helped: one look, and the conclusion over several."""

from datetime import datetime

from opsmend.domain.agent_tasks import VerificationRequest
from opsmend.domain.health import assess, worse_than
from opsmend.domain.ports.cluster import ClusterReader
from opsmend.domain.ports.metrics import Metrics
from opsmend.domain.verification import Health, HealthCheck, Verification
from opsmend.errors import MetricsUnavailableError


async def look_at_health(request: VerificationRequest, cluster: ClusterReader, metrics: Metrics, now: datetime) -> HealthCheck:
    """Healthy only if the target and what stands beside it are well, our changes stand, and no alert's condition is known or
    feared to hold still."""
    seen = await cluster.look(request.target, request.changes, closely=request.closely)
    judged = assess(seen.snapshot)
    health, reasons, unseen = judged.health, [*judged.reasons], [*judged.unseen]
    calls = seen.snapshot.api_calls
    for target in request.beside:
        other = (await cluster.look(target, closely=request.closely)).snapshot
        calls += other.api_calls
        judged = assess(other)
        health = _worse(health, judged.health)
        reasons += [f"{target}: {reason}" for reason in judged.reasons]
        unseen += judged.unseen
    if seen.reverted:
        health, reasons = Health.UNHEALTHY, [*(reversion.sentence for reversion in seen.reverted), *reasons]
    recovered: bool | None = None
    for alert in request.alerts:
        try:
            condition = await metrics.condition(alert)
        except MetricsUnavailableError as e:
            unseen.append(f"alert {alert.name}: {e}")
            health = Health.INCONCLUSIVE if health is Health.HEALTHY else health
            continue
        if condition.firing is None:
            unseen.append(f"alert {alert.name}: {condition.detail}")
        elif condition.firing:
            reasons.append(f"alert {alert.name} still fires: {condition.detail}")
            health, recovered = Health.UNHEALTHY, False
        elif recovered is None:
            recovered = True
    return HealthCheck(
        at=now,
        health=health,
        reasons=tuple(reasons),
        unseen=tuple(unseen),
        alert_recovered=recovered,
        worse_than_baseline=worse_than(request.baseline, seen.snapshot),
        glanced=seen.snapshot.glanced,
        reverted=tuple(step for reversion in seen.reverted for step in reversion.steps),
        api_calls=calls + len(request.alerts),
    )


def _worse(one: Health, other: Health) -> Health:
    order = (Health.HEALTHY, Health.INCONCLUSIVE, Health.UNHEALTHY)
    return max(one, other, key=order.index)


def next_looks_closely(checks: list[HealthCheck], needed: int) -> bool:
    """Whether the next look could conclude that the target is healthy: then no glance will do."""
    row = checks[max(0, len(checks) - needed + 1) :]
    return len(row) == needed - 1 and all(check.health is Health.HEALTHY for check in row)


def conclude_verification(checks: list[HealthCheck], needed: int) -> Verification:
    """The verdict over `checks`, oldest first: healthy only if the last `needed` were, the very last one seen closely."""
    last = checks[-1]
    row = checks[-needed:]
    healthy = len(row) == needed and not last.glanced and all(check.health is Health.HEALTHY for check in row)
    if healthy:
        health, summary = Health.HEALTHY, f"healthy in {needed} checks in a row"
    elif last.health is Health.HEALTHY:
        health, summary = Health.INCONCLUSIVE, f"healthy at the last look, but not {needed} times in a row before the deadline"
    else:
        health, summary = last.health, "; ".join(last.reasons or last.unseen) or "not proven healthy"
    return Verification(
        health=health,
        checks=tuple(checks[-needed:]),
        worse_than_baseline=last.worse_than_baseline,
        alert_recovered=last.alert_recovered,
        summary=summary,
        unseen=last.unseen,
        reverted=last.reverted,
    )
