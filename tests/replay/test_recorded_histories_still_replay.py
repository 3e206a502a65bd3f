"""A workflow that runs in production must go on after an upgrade: its history must lead today's code the same way."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from opsmend.adapters.temporal.payloads import DATA_CONVERTER
from opsmend.worker import WORKFLOWS, graph_plugin
from tests.replay.lock_with_a_clock import LockWithAClock
from tests.replay.record import GENERATION, HISTORIES
from tests.replay.stories import STORIES

RECORDED = sorted({path.parent for path in HISTORIES.glob("*/*/*.json")})
"""By generation and story."""


def _recorded(path: Path) -> WorkflowHistory:
    """The history under the id that it had: child ids and details are made from it."""
    text = path.read_text()
    started = json.loads(text)["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(started["workflowId"], text)


async def _each(paths: list[Path]) -> AsyncIterator[WorkflowHistory]:
    for path in paths:
        yield _recorded(path)


async def _replay(paths: list[Path]) -> dict[Path, Exception]:
    """In the sandbox, which workflow code runs without elsewhere: it refuses a clock, randomness and I/O (decision 0007)."""
    # A replay that takes long on a busy machine is no deadlock.
    replayer = Replayer(workflows=WORKFLOWS, plugins=[graph_plugin()], data_converter=DATA_CONVERTER, debug_mode=True)
    async with replayer.workflow_replay_iterator(_each(paths)) as results:
        failures = [result.replay_failure async for result in results]
    return {path: failure for path, failure in zip(paths, failures, strict=True) if failure}


@pytest.fixture(scope="module")
def failures() -> dict[Path, Exception]:
    """All at once: making a replayer ready takes as long as a story."""
    return asyncio.run(_replay([path for story in RECORDED for path in sorted(story.glob("*.json"))]))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("story", RECORDED, ids=lambda p: str(p.relative_to(HISTORIES)))
def test_the_recorded_histories_of_a_story_replay(story: Path, failures: dict[Path, Exception]) -> None:
    assert {path.name: failure for path, failure in failures.items() if path.parent == story} == {}


def test_every_story_is_recorded_with_its_incident() -> None:
    recorded = {path.parent.name for path in GENERATION.glob("*/*-Incident.json")}
    assert recorded == set(STORIES)


async def test_a_clock_in_workflow_code_is_refused() -> None:
    path = next(HISTORIES.glob("*/remediated/*-TargetLock.json"))
    with pytest.raises(RuntimeError, match=r"Cannot access datetime\.datetime\.now"):
        await Replayer(workflows=[LockWithAClock], debug_mode=True).replay_workflow(_recorded(path))


async def test_a_change_of_the_workflow_that_breaks_running_incidents_is_noticed() -> None:
    path = next(HISTORIES.glob("*/remediated/*-TargetLock.json"))
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
