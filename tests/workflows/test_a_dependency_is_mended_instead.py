"""When a dependency is to blame, it is mended and the alerting workload left alone; both must be well afterwards."""

import pytest

from opsmend.domain.actions.action import Action, LiveObject
from opsmend.domain.incident import IncidentState, Outcome
from opsmend.domain.snapshot import Revision, Snapshot
from opsmend.domain.target import Kind, Target
from tests.builders import (
    a_container,
    a_decision_request,
    a_dependency,
    a_pod,
    a_ref,
    a_service,
    a_snapshot,
    a_target,
    a_workload,
)
from tests.workflows.conftest import MakeWorld, World
from tests.workflows.fakes import ClusterInMemory

FRONT = a_target(name="front")


class FrontCallsWeb(ClusterInMemory):
    """Deployment front calls Service web, whose Deployment is at a crashing revision. Front is well whenever web is."""

    def __init__(self) -> None:
        super().__init__()
        self.web_stays_down = False
        self.read_of: set[str] = set()

    def _seen(self, target: Target) -> Snapshot:
        if target.name == "front":
            return self._front(target)
        seen = super()._seen(target)
        ready = 2 if self.well and not self.web_stays_down else 0
        return seen.model_copy(update={"services": (a_service(ready_endpoints=ready),)})

    def _front(self, target: Target) -> Snapshot:
        complaint = "dial tcp: web:80: connection refused"
        container = a_container(name="front") if self.well else a_container(name="front", ready=False, log=complaint)
        pods = tuple(a_pod(f"front-{suffix}", containers=[container]) for suffix in "ab")
        return a_snapshot(
            target=target,
            workload=a_workload(ref=a_ref(name="front")),
            pods=pods,
            services=(),
            dependencies=(a_dependency("web", service=None),),
        )

    async def read(self, action: Action, known: LiveObject | None = None, revisions: tuple[Revision, ...] = ()) -> LiveObject:
        self.read_of.add(str(action.target))
        return await super().read(action, known, revisions)


async def mended(world: World) -> IncidentState:
    await world.alert(target=FRONT)
    asked = await world.until(lambda s: s.status == "awaiting_approval", incident=FRONT.incident_id)
    assert asked.diagnosis is not None
    assert asked.diagnosis.summary.startswith("Deployment shop/front fails because Deployment shop/web does")
    await world.desk.decide(FRONT.incident_id, a_decision_request(asked.plan))
    return await world.until(lambda s: s.status == "closed", incident=FRONT.incident_id)


@pytest.mark.parametrize(
    ("stays_down", "outcome"),
    [
        pytest.param(False, Outcome.REMEDIATED, id="both-are-well"),
        pytest.param(True, Outcome.ROLLED_BACK, id="the-dependency-is-not-though-the-target-is"),
    ],
)
async def test_it_counts_as_mended_only_when_both_are_well(make_world: MakeWorld, stays_down: bool, outcome: Outcome) -> None:
    cluster = FrontCallsWeb()
    cluster.web_stays_down = stays_down
    world = await make_world(cluster=cluster)
    closed = await mended(world)
    assert closed.outcome is outcome, closed.closing
    assert closed.plan is not None
    assert [step.action.target for step in closed.plan.steps] == [a_ref(Kind.DEPLOYMENT, "web")]
    assert cluster.read_of == {"Deployment shop/web"}
    if stays_down:
        assert "Service shop/web" in closed.closing
