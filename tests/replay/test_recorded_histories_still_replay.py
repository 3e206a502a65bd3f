"""A workflow that runs in production must go on after an upgrade: its history must lead today's code the same way."""

import json
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from opsmend.adapters.temporal.payloads import DATA_CONVERTER
from opsmend.worker import WORKFLOWS, graph_plugin
from tests.replay.record import GENERATION, HISTORIES
from tests.replay.stories import STORIES

RECORDED = sorted(HISTORIES.glob("*/*/*.json"))


def _replayer() -> Replayer:
    return Replayer(workflows=WORKFLOWS, plugins=[graph_plugin()], data_converter=DATA_CONVERTER)


def _recorded(path: Path) -> WorkflowHistory:
    """The history under the id that it had: child ids and details are made from it."""
    text = path.read_text()
    started = json.loads(text)["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(started["workflowId"], text)


@pytest.mark.parametrize("path", RECORDED, ids=lambda p: str(p.relative_to(HISTORIES).with_suffix("")))
async def test_a_recorded_history_replays(path: Path) -> None:
    await _replayer().replay_workflow(_recorded(path))


def test_every_story_is_recorded_with_its_incident() -> None:
    recorded = {path.parent.name for path in GENERATION.glob("*/*-Incident.json")}
    assert recorded == set(STORIES)


async def test_a_change_of_the_workflow_that_breaks_running_incidents_is_noticed() -> None:
    path = next(p for p in RECORDED if p.parent.name == "remediated" and p.stem.endswith("-TargetLock"))
    changed = Replayer(workflows=[ChangedLock], workflow_runner=UnsandboxedWorkflowRunner())
    with pytest.raises(workflow.NondeterminismError):
        await changed.replay_workflow(_recorded(path))


@workflow.defn(name="TargetLock")
class ChangedLock:
    """The lock as somebody might change it without a patch: it sleeps first."""

    @workflow.run
    async def run(self, holder: str) -> None:
        await workflow.sleep(1)

    @workflow.signal
    def release(self) -> None:
        """As before."""
