"""A team stops its workload for a while and has said so. opsmend keeps its hands off; the team ends it by itself."""

import asyncio
from datetime import UTC, datetime, timedelta

from tests.drills.drill import Drill
from tests.drills.manifests import container, deployment, service
from tests.drills.scene import Scene


async def begin(scene: Scene) -> None:
    until = (datetime.now(UTC) + timedelta(minutes=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
    declared = {"opsmend.io/maintenance-until": until, "opsmend.io/maintenance-reason": "the database is upgraded"}
    change = {"metadata": {"annotations": declared}, "spec": {"replicas": 0}}
    await scene.patch("Deployment", "ledger", change, manager="kubectl-edit")


async def end(scene: Scene) -> None:
    await asyncio.sleep(3)
    await scene.patch("Deployment", "ledger", {"spec": {"replicas": 2}}, manager="kubectl-scale")


DRILL = Drill(
    name="planned-maintenance",
    objects=(deployment("ledger", container()), service("ledger", probed=True)),
    fault=begin,
    waiting=("maintenance.waiting", end),
    alert="ProbeFailed",
    target="service:ledger",
    category="maintenance",
    cause="Deployment/ledger",
    actions=(),
    changes=frozenset({"deployments/ledger"}),
    outcome="self_resolved",
)
