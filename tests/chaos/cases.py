"""What can go wrong, one case each: what is arranged before the alert, while a person is asked, and after the approval."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.chaos.lane import QUICK, Lane

Step = Callable[[Lane], Awaitable[None]]


async def nothing(lane: Lane) -> None:
    """The quiet default."""


@dataclass(frozen=True)
class Case:
    """`killed` is for the table. `point` is where the worker dies (see worker.py)."""

    name: str
    killed: str
    point: str = ""
    before: Step = nothing
    asked: Step = nothing
    approved: Step = nothing


REPEATED: Final = {"chat.publish_incident": 3, "sre.check_health": QUICK.verify_checks}
"""How many calls of an activity every run is sure to have: publications that fall together are merged, and a look at a fix that
still rolls out comes on top of the healthy ones."""


def kill_cases(executed: list[dict[str, Any]]) -> list[Case]:
    """A case for before and after each activity of the incident that a quiet run has `executed`, in its order."""
    calls: dict[str, int] = {}
    cases = []
    for entry in executed:
        if entry["event"] != "start" or not entry["workflow"].startswith("incident:"):  # the watchdog goes its own rounds
            continue
        activity = entry["activity"]
        calls[activity] = call = calls.get(activity, 0) + 1
        if call > REPEATED.get(activity, call):
            continue
        for when in ("before", "after"):
            cases.append(Case(name=f"{when} {activity} {call}", killed="worker", point=f"{when} {activity} {call}"))
    return cases


def api_fault(name: str, **fault: Any) -> Case:
    """The Kubernetes API misbehaves from before the alert on."""

    async def arm(lane: Lane) -> None:
        await lane.arm(**fault)

    return Case(name=name, killed="Kubernetes API", before=arm)


def write_fault(name: str, **fault: Any) -> Case:
    """The Kubernetes API misbehaves when the change comes (and not at its dry run)."""

    async def arm(lane: Lane) -> None:
        await lane.arm(method="PATCH", path=r"/deployments/web\?(?!.*dryRun)", **fault)

    return Case(name=name, killed="Kubernetes API", asked=arm)


API_CASES: Final = (
    api_fault("API answers 500 six times", answer=500, requests=6),
    api_fault("API answers 429 six times", answer=429, requests=6, retry_after_seconds=1),
    api_fault("API hangs on three reads", answer="hang", method="GET", requests=3),
    write_fault("API answers 503 to the change", answer=503, requests=2),
    write_fault("API makes the change and answers 500", answer="late_500", requests=1),
    write_fault("API makes the change and hangs up", answer="disconnect", requests=1),
    write_fault("API hangs on the change", answer="hang", requests=1),
)


async def _slack_goes(lane: Lane) -> None:
    await lane.slack.go_down()


async def _slack_comes(lane: Lane) -> None:
    await lane.slack.come_back()


SLACK_CASE: Final = Case(name="Slack down for the whole approval", killed="Slack", before=_slack_goes, approved=_slack_comes)
