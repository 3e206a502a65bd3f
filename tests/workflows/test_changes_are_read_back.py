"""After each change somebody reads the object back, once: Deployment itself, or the verification that comes next."""

import pytest

from opsmend.agents.queues import WORKFLOWS
from opsmend.domain.actions.action import LiveObject
from opsmend.domain.actions.planned_step import plan_step, projected
from opsmend.domain.actions.rollback_workload import RollbackWorkload
from opsmend.domain.actions.scale_workload import ScaleWorkload
from opsmend.domain.agent_tasks import ExecutionRequest
from opsmend.domain.execution import AppliedChange, ApprovedPlan, ExecutionRecord, Reversion, StepStatus
from opsmend.domain.record import digest
from opsmend.workflows.agent_runs import DeploymentExecution
from tests.builders import a_plan, a_ref, an_approved_plan, some_revisions
from tests.workflows.conftest import MakeWorld, World
from tests.workflows.fakes import BAD, GOOD, ClusterInMemory


class Watched(ClusterInMemory):
    """Keeps which steps were read back; somebody takes those of `unwanted` back at once."""

    def __init__(self, *unwanted: str) -> None:
        super().__init__()
        self.unwanted = unwanted
        self.read_back: list[str] = []

    async def reverted(self, change: AppliedChange) -> Reversion | None:
        self.read_back.append(change.step_id)
        if change.step_id in self.unwanted:
            return Reversion(steps=(change.step_id,), sentence="it was reverted by mia")
        return None


def two_steps(cluster: ClusterInMemory) -> ApprovedPlan:
    live = LiveObject(object=cluster.object, revisions=some_revisions(GOOD, BAD))
    scale = ScaleWorkload(target=a_ref(), replicas=3)
    rollback = RollbackWorkload(target=a_ref(), revision=1, template_digest=digest(GOOD))
    first = plan_step(scale, live, step_id="1", reason="room", redact=str)
    second = plan_step(rollback, projected(scale, live), step_id="2", reason="it crashes", redact=str)
    return an_approved_plan(a_plan(first, second))


async def execute(world: World, approved: ApprovedPlan, *, verified_next: bool) -> ExecutionRecord:
    request = ExecutionRequest(approved=approved, cluster="demo", verified_next=verified_next)
    run_id = f"run-{len(approved.undo)}"
    done = await world.client.execute_workflow(DeploymentExecution.run, request, id=run_id, task_queue=WORKFLOWS)
    return done.record


async def test_all_steps_but_the_last_are_read_back_before_a_verification(make_world: MakeWorld) -> None:
    cluster = Watched()
    world = await make_world(cluster=cluster)
    record = await execute(world, two_steps(cluster), verified_next=True)
    assert [step.status for step in record.steps] == [StepStatus.APPLIED] * 2
    assert cluster.read_back == ["1"]


async def test_the_last_step_is_read_back_where_no_verification_follows(make_world: MakeWorld) -> None:
    cluster = Watched()
    world = await make_world(cluster=cluster)
    await execute(world, two_steps(cluster), verified_next=False)
    assert cluster.read_back == ["1", "2"]


async def test_an_undone_step_is_read_back(make_world: MakeWorld) -> None:
    cluster = Watched("undo-2")
    world = await make_world(cluster=cluster)
    approved = two_steps(cluster)
    await execute(world, approved, verified_next=True)
    record = await execute(world, approved.model_copy(update={"undo": ("2",)}), verified_next=False)
    assert cluster.read_back == ["1", "undo-2"]
    assert (record.steps[-1].status, record.complete) == (StepStatus.REVERTED, False)


@pytest.mark.safety
async def test_a_step_that_is_taken_back_ends_the_plan_before_the_next(make_world: MakeWorld) -> None:
    cluster = Watched("1")
    world = await make_world(cluster=cluster)
    approved = two_steps(cluster)
    record = await execute(world, approved, verified_next=True)
    assert [(step.step_id, step.status) for step in record.steps] == [("1", StepStatus.APPLIED), ("1", StepStatus.REVERTED)]
    assert record.steps[-1].detail == "it was reverted by mia"
    assert cluster.changes == [approved.marker("1")]
