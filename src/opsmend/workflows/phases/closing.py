"""The end of an incident: its outcome, and the chores that it leaves. No chore holds a new outbreak of the target up."""

import asyncio
from typing import Final

from temporalio import workflow
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError, is_cancelled_exception
from temporalio.workflow import ActivityConfig, ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from opsmend.activities.incidents import IncidentActivities, PostMortemRequest
    from opsmend.agents.patience import NOTIFY, SOON, on
    from opsmend.agents.queues import CONNECTORS
    from opsmend.domain.budget import Usage
    from opsmend.domain.call import Call
    from opsmend.domain.incident import Outcome
    from opsmend.domain.ports.chat import MessageRef

from opsmend.workflows.aftermath import Aftermath, AftermathRequest
from opsmend.workflows.agent_runs import calls_in
from opsmend.workflows.keep_last_good import keep_namespace
from opsmend.workflows.phases.incident_log import IncidentLog, root_of

WRITES_LATE: Final = "a-post-mortem-that-could-not-be-written-at-once-is-written-later"
"""Patch: runs that began before it do without. It can go once no run is older than 0.2."""


class Closing:
    def __init__(self, log: IncidentLog) -> None:
        self._log = log
        self._remembered = False

    async def close(self, outcome: Outcome, why: str) -> None:
        self._log.set(outcome=outcome, closing=why, closed_at=workflow.now())
        self._log.note("incident.closed", f"{outcome}: {why}")
        await self._write(SOON)

    async def _write(self, patience: ActivityConfig) -> None:
        try:
            postmortem = await workflow.execute_activity_method(
                IncidentActivities.write_postmortem,
                PostMortemRequest(incident_id=self._log.state.id, run_id=self._log.state.run_id, state=self._log.state),
                **on(CONNECTORS, patience, "Write the post-mortem"),
            )
        except FailureError as failure:
            if is_cancelled_exception(failure):
                raise
            self._log.note("postmortem.failed", root_of(failure))
        else:
            self._log.set(postmortem=postmortem)

    async def chores(self, *, watched: bool) -> None:
        """`watched`: whether the good configuration of the target's namespace is kept."""
        if self._log.state.postmortem is None and workflow.patched(WRITES_LATE):
            await self._write(NOTIFY)
            self._log.revision += 1
        await asyncio.gather(self._remember(), self._keep_last_good(watched))

    async def _remember(self) -> None:
        if self._log.state.postmortem is None:
            return
        try:
            await workflow.execute_activity_method(
                IncidentActivities.remember_postmortem,
                self._log.state.postmortem,
                **on(CONNECTORS, NOTIFY, "Keep the post-mortem for the next incident"),
            )
        except FailureError as failure:
            if is_cancelled_exception(failure):
                raise
            self._log.note("memory.failed", f"the post-mortem is not in memory: {root_of(failure)}")
        else:
            self._log.note("memory.kept", "the next incident like this one will recall it")
        self._remembered = True

    async def _keep_last_good(self, watched: bool) -> None:
        """What was just proven healthy is worth keeping at once. A run that began in an older version is not watched."""
        if not watched or self._log.state.outcome is not Outcome.REMEDIATED:
            return
        target = self._log.state.target
        try:
            kept = await keep_namespace(target.cluster, target.namespace)
        except FailureError as failure:
            if is_cancelled_exception(failure):
                raise
            asked = calls_in(failure)
            self._log.note("last_good.failed", f"the configuration of {target.namespace} was not kept: {root_of(failure)}")
        else:
            asked = kept.calls
            self._log.note(
                "last_good.kept", f"{kept.good} of {kept.config_maps} ConfigMaps of {target.namespace} are as seen good"
            )
        self._log.bill("sre", "keeping the last good", Usage.of_calls(asked), asked)

    async def hand_over(self, message: MessageRef | None, call: Call | None, *, told: bool, paged: bool, last: bool) -> None:
        """What is left goes on in a workflow of its own. Good configuration is left to the next look of the schedule.

        `call`: the one that chat has not taken yet. `paged`: whether a page has to be taken back. `last`: whether the call that
        nobody has got is left as well, because no new incident of the target goes on with it.
        """
        state = self._log.state
        request = AftermathRequest(
            state=state,
            message=message,
            call=call,
            unheard=self._log.unheard if last else None,
            silent_since=self._log.silent_since if last else None,
            told=told,
            remembered=self._remembered,
            paged=paged,
        )
        try:
            await workflow.start_child_workflow(
                Aftermath.run,
                request,
                id=f"{state.id}:aftermath:{state.run_id}",
                parent_close_policy=ParentClosePolicy.ABANDON,
                static_summary=f"What the end of {state.id} left to do",
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.warning("aftermath.there_already", extra={"incident_id": state.id})
        self._log.note("chores.handed_over", "what is left to tell and to remember goes on in a workflow of its own")
