"""A plan goes as far as policy and Security let it: done at once, asked about, or told to a person and not done."""

from pathlib import Path

import pytest

from opsmend.domain.actions.action import Action, LiveObject
from opsmend.domain.incident import IncidentState, Outcome
from opsmend.domain.record import digest
from opsmend.domain.snapshot import Revision, Snapshot
from opsmend.domain.target import Target
from opsmend.policy.engine import CedarJudge
from tests.builders import a_failed_rollout, some_revisions, with_container
from tests.workflows.conftest import MakeWorld
from tests.workflows.fakes import BAD, GOOD, ClusterInMemory

pytestmark = pytest.mark.safety

AUTO = '@id("all-by-itself") permit (principal == Agent::"deployment", action in Action::"change", resource);'
SUGGEST = AUTO.replace("all-by-itself", "only-told").replace("resource)", 'resource) when { context.mode == "suggest" }')
OBSERVE = AUTO.replace("all-by-itself", "never").replace("permit", "forbid")


def judging_by(folder: Path, policy: str) -> CedarJudge:
    (folder / "mine.cedar").write_text(policy)
    return CedarJudge(folder)


def events(state: IncidentState) -> list[str]:
    return [entry.event for entry in state.timeline]


async def test_what_policy_lets_run_by_itself_is_done_without_a_question(make_world: MakeWorld, tmp_path: Path) -> None:
    world = await make_world(judge=judging_by(tmp_path, AUTO))
    await world.alert()
    closed = await world.until_closed()
    assert closed.outcome is Outcome.REMEDIATED, closed.closing
    assert closed.plan is not None
    assert world.cluster.changes == [f"{closed.plan.hash}#1"]
    assert closed.approval is not None
    assert (closed.approval.by.via, closed.approval.by.id) == ("policy", "all-by-itself")
    assert "plan.approved" in events(closed)
    assert "approval.asked" not in events(closed)


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        pytest.param(SUGGEST, "policy allows no more than to suggest here (only-told): ", id="suggest"),
        pytest.param(OBSERVE, "policy allows no more than to observe here (never): ", id="observe"),
    ],
)
async def test_what_policy_does_not_let_be_done_is_told_with_the_plan_and_asked_of_nobody(
    make_world: MakeWorld, tmp_path: Path, policy: str, told: str
) -> None:
    world = await make_world(judge=judging_by(tmp_path, policy))
    await world.alert()
    closed = await world.until_closed()
    assert closed.outcome is Outcome.ESCALATED
    assert closed.plan is not None
    assert closed.closing == f"{told}{closed.plan.summary}"
    assert "approval.asked" not in events(closed)
    assert world.cluster.changes == []


class RanWithMoreRights(ClusterInMemory):
    """The revision to go back to ran in privileged mode."""

    before = with_container(GOOD, securityContext={"privileged": True})

    def _seen(self, target: Target) -> Snapshot:
        return a_failed_rollout(self.before, BAD, target=target)

    async def read(self, action: Action, known: LiveObject | None = None, revisions: tuple[Revision, ...] = ()) -> LiveObject:
        live = await super().read(action, known, revisions)
        return live.model_copy(update={"revisions": some_revisions(self.before, BAD)})


async def test_a_plan_that_security_blocks_is_told_with_what_is_wrong_and_asked_of_nobody(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = await make_world(cluster=RanWithMoreRights(), judge=judging_by(tmp_path, AUTO))
    await world.alert()
    closed = await world.until_closed()
    assert closed.outcome is Outcome.ESCALATED
    assert closed.closing.startswith("Security refused the plan: ")
    assert "privileged mode" in closed.closing
    assert closed.verdict is not None
    assert not closed.verdict.passed
    assert "approval.asked" not in events(closed)
    assert world.cluster.changes == []
    assert digest(world.cluster.object["spec"]["template"]) == digest(BAD)
