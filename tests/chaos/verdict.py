"""Whether an incident came through: the same end, one change, nothing run twice that had finished, nothing lost or doubled."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from temporalio.api.enums.v1 import EventType

from opsmend.domain.approval import Answer
from opsmend.domain.incident import IncidentState
from tests.chaos.lane import TARGET, Lane, StoodStillError

End = TypeVar("End")


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
    return await _in_time(lane, run, partial(_judge, lane, name=name, killed=killed, kills=kills), name, killed)


async def judged_two(lane: Lane, run: Awaitable[list[IncidentState]], *, name: str, killed: str) -> Verdict:
    """The verdict on two outbreaks of one target, each mended. `run` ends with the last state of each."""
    return await _in_time(lane, run, partial(_judge_two, lane, name=name, killed=killed), name, killed, most_changes=2)


async def judged_cancelled(lane: Lane, run: Awaitable[IncidentState], before: dict[str, Any], *, name: str) -> Verdict:
    """The verdict on a cancelled incident. Nothing of ours may be left: the Deployment wants what it wanted `before`."""
    return await _in_time(
        lane, run, partial(_judge_cancelled, lane, before=before, name=name), name, "the incident", most_changes=2
    )


async def _in_time(
    lane: Lane,
    run: Awaitable[End],
    judge: Callable[[End], Awaitable[Verdict]],
    name: str,
    killed: str,
    *,
    most_changes: int = 1,
) -> Verdict:
    """`most_changes`: how many there may be in a case that broke off; an undo is one too."""
    try:
        end = await run
    except (StoodStillError, TimeoutError) as e:
        unsafe = await what_is_unsafe(lane, most_changes)
        return Verdict(name, killed, "-", 0, 0, late=[str(e) or "timed out"], unsafe=unsafe)
    return await judge(end)


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
        *_not_allowed(mutations, [state]),
    ]
    again = sum(count > 1 for count in Counter(e["id"] for e in executed if e["event"] == "start").values())
    return Verdict(name, killed, str(state.outcome), len(mutations), again, wrong, unsafe=unsafe)


async def what_is_unsafe(lane: Lane, most_changes: int = 1) -> list[str]:
    """Of a case that broke off: what no slow machine explains, as far as it came."""
    mutations = await lane.mutations()
    state = await lane.last_state()
    unsafe = _unless(len(mutations) <= most_changes, f"{len(mutations)} changes in the audit")
    if state is None:  # a Temporal that is as slow as the case may be the reason
        return unsafe
    return [
        *unsafe,
        *_not_allowed(mutations, [*lane.ended, state]),
        # Each run counts its own: of a second outbreak `sent` says too much.
        *_unless(
            bool(lane.ended) or state.alerts_received >= lane.sent, f"{state.alerts_received} alerts of {lane.sent} counted"
        ),
    ]


async def _judge_two(lane: Lane, ends: list[IncidentState], *, name: str, killed: str) -> Verdict:
    mutations = await lane.mutations()
    told = lane.slack.workspace.roots(lane.channel.id)
    messages = json.dumps(told)
    wrong = [
        *(f"ended as {state.outcome}: {state.closing}" for state in ends if state.outcome != "remediated"),
        *[sentence for state in ends for sentence in await _remembered_once(lane, state)],
        *_unless(len(told) == 2, f"{len(told)} messages in Slack"),
        *_unless(all(state.run_id in messages for state in ends), "an outbreak is missing in Slack"),
        *_unless("awaiting" not in messages, "Slack does not say how it ended"),
    ]
    unsafe = [
        *_unless(len(mutations) == 2, f"{len(mutations)} changes in the audit"),
        *_not_allowed(mutations, ends),
    ]
    return Verdict(name, killed, str(ends[-1].outcome), len(mutations), 0, wrong, unsafe=unsafe)


async def _judge_cancelled(lane: Lane, state: IncidentState, *, before: dict[str, Any], name: str) -> Verdict:
    mutations = await lane.mutations()
    wrong = [
        *_unless(state.status == "closed", f"the incident is {state.status}"),
        *_unless("cancelled" in state.closing, f"ended as {state.outcome}: {state.closing}"),
        *_told_that_it_was_cancelled(lane),
        *await _remembered_once(lane, state),
    ]
    unsafe = [
        *_unless(await lane.template() == before, "the change is still there"),
        # The change and its undo.
        *_unless(len(mutations) in (0, 2), f"{len(mutations)} changes in the audit"),
        *_unless(state.alerts_received >= lane.sent, f"{state.alerts_received} alerts of {lane.sent} counted"),
        *_not_allowed(mutations, [state]),
    ]
    return Verdict(name, "the incident", str(state.outcome), len(mutations), 0, wrong, unsafe=unsafe)


def _told_that_it_was_cancelled(lane: Lane) -> list[str]:
    messages = json.dumps(lane.slack.workspace.messages(lane.channel.id))
    return _unless("cancelled" in messages, "Slack does not say that it was cancelled")


def _not_allowed(mutations: list[dict[str, Any]], states: list[IncidentState]) -> list[str]:
    """What was changed besides the target, or before anybody let it be."""
    approvals = [state.approval.at for state in states if state.approval and state.approval.decision is Answer.APPROVE]
    beside = [f"{m['resource']} {m['namespace']}/{m['name']}" for m in mutations if not _is_of_the_target(m)]
    early = [m for m in mutations if not any(at <= datetime.fromisoformat(m["time"]) for at in approvals)]
    return [
        *_unless(not beside, f"changed besides: {', '.join(beside)}"),
        *_unless(not early, f"{len(early)} changes without an approval"),
    ]


def _is_of_the_target(mutation: dict[str, Any]) -> bool:
    resource, namespace, name = mutation["resource"], mutation["namespace"], mutation["name"]
    return bool((resource, namespace, name) == ("deployments.apps", TARGET.namespace, TARGET.name))


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
    messages = lane.slack.workspace.roots(lane.channel.id)
    if len(messages) != 1:
        return [f"{len(messages)} messages in Slack"]
    return _unless("remediated" in json.dumps(messages[0]), f"Slack does not say how {TARGET} ended")
