"""An autoscaler is well when it may have what it wants; a fix has helped only when what stands beside the target is well."""

from datetime import timedelta
from typing import Any

import pytest
from tests.builders import (
    NOW,
    a_baseline,
    a_condition,
    a_crashing_container,
    a_limited_autoscaler,
    a_pod,
    a_service,
    a_snapshot,
    a_target,
    a_workload,
    an_alert,
    an_autoscaler,
)
from tests.unit.looks.clusters import GivenCluster
from tests.workflows.fakes import MetricsInMemory

from opsmend.agents.sre.verify import look_at_health
from opsmend.domain.agent_tasks import VerificationRequest
from opsmend.domain.health import assess
from opsmend.domain.snapshot import Snapshot
from opsmend.domain.verification import Health, HealthCheck

SCALER, ORDERS = a_target("HorizontalPodAutoscaler"), a_target("Service", "orders")


def scaled(*autoscalers: Any, **changes: Any) -> Snapshot:
    return a_snapshot(target=SCALER, autoscalers=autoscalers, **changes)


@pytest.mark.parametrize(
    ("snapshot", "health"),
    [
        pytest.param(scaled(an_autoscaler()), Health.HEALTHY, id="within-its-range"),
        pytest.param(scaled(a_limited_autoscaler()), Health.UNHEALTHY, id="it-wants-more-than-it-may-have"),
        pytest.param(
            scaled(an_autoscaler(conditions=(a_condition("ScalingActive", "False", "FailedGetResourceMetric"),))),
            Health.INCONCLUSIVE,
            id="it-cannot-tell",
        ),
        pytest.param(scaled(), Health.INCONCLUSIVE, id="it-was-not-seen"),
        pytest.param(
            scaled(an_autoscaler(), pods=(a_pod(containers=[a_crashing_container()]),)),
            Health.UNHEALTHY,
            id="its-workload-is-not-well",
        ),
        pytest.param(a_snapshot(autoscalers=(a_limited_autoscaler(),)), Health.HEALTHY, id="of-a-workload-that-is-well"),
    ],
)
def test_an_autoscaler_is_judged_with_its_workload(snapshot: Snapshot, health: Health) -> None:
    assert assess(snapshot).health is health


def serving(ready: int) -> Snapshot:
    service = a_service("orders", ready_endpoints=ready, not_ready_endpoints=2 - ready)
    return a_snapshot(target=ORDERS, services=(service,), api_calls=4)


async def looked(*around: Snapshot, target: Snapshot | None = None, firing: bool | None = None) -> HealthCheck:
    metrics = MetricsInMemory()
    metrics.firing = firing
    request = VerificationRequest(
        target=a_target(),
        alerts=(an_alert(),),
        baseline=a_baseline(),
        interval=timedelta(seconds=1),
        checks=3,
        deadline=timedelta(minutes=1),
        beside=(ORDERS,),
    )
    return await look_at_health(request, GivenCluster(target or a_snapshot(), *around), metrics, NOW)


async def test_both_must_be_well() -> None:
    check = await looked(serving(2))
    assert check.health is Health.HEALTHY
    assert check.api_calls == 5


@pytest.mark.parametrize(
    ("around", "health"),
    [
        pytest.param((serving(0),), Health.UNHEALTHY, id="it-serves-nobody"),
        pytest.param((), Health.UNHEALTHY, id="it-is-gone"),
        pytest.param(
            (serving(2).model_copy(update={"workload": a_workload(updated_replicas=1)}),), Health.INCONCLUSIVE, id="it-moves"
        ),
    ],
)
async def test_what_is_not_well_beside_a_well_target_is_told(around: tuple[Snapshot, ...], health: Health) -> None:
    check = await looked(*around)
    assert check.health is health
    assert check.reasons[0].startswith("Service shop/orders: ")


async def test_a_target_that_is_not_well_is_not_saved_by_what_stands_beside_it() -> None:
    crashing = a_snapshot(pods=(a_pod(containers=[a_crashing_container()]),))
    assert (await looked(serving(2), target=crashing)).health is Health.UNHEALTHY
    assert (await looked(serving(2), firing=True)).health is Health.UNHEALTHY
