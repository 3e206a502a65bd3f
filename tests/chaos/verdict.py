"""Whether an incident came through: the same end, one change, nothing run twice that had finished, nothing lost or doubled."""

import json
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from temporalio.api.enums.v1 import EventType

from opsmend.domain.incident import IncidentState
from tests.chaos.lane import TARGET, Lane, StoodStillError


@dataclass(frozen=True)
class Verdict:
    """A line of the table (tests.tally.Verdict)."""

    name: str
    killed: str
    outcome: str
    mutations: int
    nodes_rerun: int
    wrong: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    unsafe: list[str] = field(default_factory=list)


async def judged(lane: Lane, run: Awaitable[IncidentState], *, name: str, killed: str, kills: int) -> Verdict:
    """The verdict on `run`, which ends with the state of the closed incident. `kills` is how many workers must have died."""
    try:
        state = await run
    except (StoodStillError, TimeoutError) as e:
        return Verdict(name, killed, "-", 0, 0, late=[str(e) or "timed out"], unsafe=await what_is_unsafe(lane))
    return await _judge(lane, state, name=name, killed=killed, kills=kills)


async def _judge(lane: Lane, state: IncidentState, *, name: str, killed: str, kills: int) -> Verdict:
    mutations = await lane.mutations()
    executed = lane.executed()
    finished_again = await _finished_and_run_again(lane, executed)
    wrong = [
        *_unless(state.outcome == "remediated", f"ended as {state.outcome}: {state.closing}"),
        *_unless(not finished_again, f"finished, yet run again: {finished_again}"),
        *_unless(lane.kills == kills, f"{lane.kills} workers died instead of {kills}"),
        *await _remembered_once(lane, state),
        *_told_once(lane, state),
    ]
    unsafe = [
        *_unless(len(mutations) == 1 and mutations[0]["verb"] == "patch", f"{len(mutations)} changes in the audit"),
        *_unless(state.alerts_received == lane.sent, f"{state.alerts_received} alerts of {lane.sent} counted"),
    ]
    again = sum(count > 1 for count in Counter(e["id"] for e in executed if e["event"] == "start").values())
    return Verdict(name, killed, str(state.outcome), len(mutations), again, wrong, unsafe=unsafe)


async def what_is_unsafe(lane: Lane) -> list[str]:
    """Of a case that broke off: what no slow machine explains, as far as it came."""
    mutations = await lane.mutations()
    state = await lane.last_state()
    if state is None:
        return _unless(not mutations, "changed before there was an incident")
    return [
        *_unless(len(mutations) <= 1, f"{len(mutations)} changes in the audit"),
        *_unless(not mutations or state.approval is not None, "changed without an approval"),
        *_unless(state.alerts_received >= lane.sent, f"{state.alerts_received} alerts of {lane.sent} counted"),
    ]


def _unless(well: bool, sentence: str) -> list[str]:
    return [] if well else [sentence]


async def _finished_and_run_again(lane: Lane, executed: list[dict[str, Any]]) -> list[str]:
    """Activities whose completion Temporal had recorded before they were started once more."""
    completed: dict[str, float] = {}
    async for run in lane.client.list_workflows():
        history = await lane.client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
        scheduled = {e.event_id: e.activity_task_scheduled_event_attributes.activity_id for e in history.events}
        for event in history.events:
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                activity = scheduled[event.activity_task_completed_event_attributes.scheduled_event_id]
                completed[f"{run.run_id}/{activity}"] = event.event_time.ToMicroseconds() / 1e6
    starts = [e for e in executed if e["event"] == "start"]
    return [e["activity"] for e in starts if e["at"] > completed.get(e["id"], float("inf"))]


async def _remembered_once(lane: Lane, state: IncidentState) -> list[str]:
    if state.postmortem is None:
        return ["no post-mortem was written"]
    kept = await lane.memory.recall(state.postmortem.symptoms, state.postmortem.category, limit=10)
    found = [k for k in kept if k.run_id == state.run_id]
    return _unless(len(found) == 1, f"{len(found)} memories of the run")


def _told_once(lane: Lane, state: IncidentState) -> list[str]:
    messages = lane.slack.workspace.messages(lane.channel.id)
    if len(messages) != 1:
        return [f"{len(messages)} messages in Slack"]
    return _unless("remediated" in json.dumps(messages[0]), f"Slack does not say how {TARGET} ended")
