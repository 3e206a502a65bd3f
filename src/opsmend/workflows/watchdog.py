"""The Watchdog workflow: one for the whole installation, started by the connectors' worker. It sees to what no incident can see
to itself: code that fails, and the locks of those that were ended by hand.

It is continued every half hour or so. A change of its commands needs no patch if the old ones are kept for as long.
"""

from datetime import timedelta
from typing import Final

from pydantic import Field
from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from opsmend.activities.watchdog import CallPeople, LookAround, WatchdogActivities
    from opsmend.agents.patience import SOON, on
    from opsmend.agents.queues import CONNECTORS
    from opsmend.domain.ports.chat import Alarm
    from opsmend.domain.ports.runs import StalledRun
    from opsmend.domain.record import Handed

from opsmend.workflows.phases.incident_log import root_of

WATCHDOG_ID: Final = "opsmend-watchdog"

OURS: Final = (
    "Aftermath",
    "ArchitectPlanning",
    "ChangeControl",
    "DeploymentExecution",
    "Feedback",
    "FirstMessages",
    "Incident",
    "KeepLastGood",
    "SecurityReview",
    "SharedCause",
    "SreInvestigation",
    "SreVerification",
    "TargetLock",
)
"""The types of workflow that are looked after."""

ROUNDS: Final = 100
"""Of one run: some 1,400 events."""


class WatchdogRequest(Handed):
    every: timedelta = timedelta(seconds=20)
    """Between two rounds. Temporal reports a failing workflow task after some ten seconds (deploy/temporal/dynamicconfig.yaml),
    so that people hear within a minute; the locks of a holder that is gone are free within one."""
    told: dict[str, StalledRun] = Field(default_factory=dict)
    """Of whom people know that they stand still, by run id."""


@workflow.defn(name="Watchdog")
class Watchdog:
    """Waits on its timer."""

    @workflow.init
    def __init__(self, request: WatchdogRequest) -> None:
        self._told = dict(request.told)

    @workflow.run
    async def run(self, request: WatchdogRequest) -> None:
        for _ in range(ROUNDS):
            await self._free_locks()
            await self._tell_of_stalled()
            await workflow.sleep(request.every, summary="until the next round")
        workflow.continue_as_new(request.model_copy(update={"told": self._told}))

    async def _free_locks(self) -> None:
        try:
            freed = await workflow.execute_activity_method(
                WatchdogActivities.free_locks, LookAround(), **on(CONNECTORS, SOON, "Free the locks of those that are gone")
            )
        except FailureError as failure:
            _go_on_after(failure)
        else:
            for lock in freed.locks:
                workflow.logger.warning("lock.freed", extra={"lock": lock})

    async def _tell_of_stalled(self) -> None:
        try:
            seen = await workflow.execute_activity_method(
                WatchdogActivities.find_stalled, LookAround(), **on(CONNECTORS, SOON, "Look for workflows that do not go on")
            )
            stalled = {run.run_id: run for run in seen.stalled}
            for run in stalled.values():
                if run.run_id not in self._told:
                    await self._call(_it_stalls(run))
                    self._told[run.run_id] = run
            for run_id in [run_id for run_id in self._told if run_id not in stalled]:
                await self._call(_it_goes_on(self._told[run_id]))
                del self._told[run_id]
        except FailureError as failure:
            _go_on_after(failure)

    async def _call(self, alarm: Alarm) -> None:
        await workflow.execute_activity_method(
            WatchdogActivities.call_people, CallPeople(alarm=alarm), **on(CONNECTORS, SOON, "Call people")
        )


def _go_on_after(failure: FailureError) -> None:
    """What could not be done now is done in the next round."""
    if is_cancelled_exception(failure):
        raise failure
    workflow.logger.warning("watchdog.hindered", extra={"why": root_of(failure)})


def _it_stalls(run: StalledRun) -> Alarm:
    return _alarm(
        run,
        "stalled",
        f"{run.id} stands still: its workflow task fails since {run.since:%H:%M} UTC. {run.why}. Its alerts are kept, and it "
        "changes nothing meanwhile. It goes on by itself once a worker runs whose code does not fail.",
    )


def _it_goes_on(run: StalledRun) -> Alarm:
    return _alarm(run, "over", f"{run.id} does not stand still any more.")


def _alarm(run: StalledRun, what: str, text: str) -> Alarm:
    key = f"{run.run_id}:{what}:{run.since.timestamp():.0f}"
    return Alarm(key=key, text=text, since=run.since, workflow_id=run.id, run_id=run.run_id)
