"""A cause from which many targets suffer is seen to by one incident; the others wait for its end.

The cause is a workflow of its own with the id `cause:<cluster>:<kind>:<name>`. The incident that manages to start it holds it.
The others join: they are told who holds it, and when it is over. It ends when its holder releases it, or when the watchdog
finds its holder closed, as a lock does (docs/decisions/0020).
"""

from collections.abc import Container
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError
from temporalio.workflow import ChildWorkflowHandle, ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from opsmend.domain.alert import GRAVITY, Severity
    from opsmend.domain.opened import HeldLock
    from opsmend.domain.shared_cause import CauseHeld, CauseJoined, CauseOver, CauseShared, KnownCause, SharedCause

from opsmend.workflows.target_lock import HOLDER, HOLDERS_CHAIN

CAUSE: Final = "cause"
"""Memo: the KnownCause."""

CAUSE_HELD: Final = "cause_held"
CAUSE_OVER: Final = "cause_over"
CAUSE_SHARED: Final = "cause_shared"
"""Signals to incidents: to a member who holds its cause, that it is over; to the holder how many share it."""

TELLS_EVERY: Final = timedelta(seconds=10)
"""The holder hears of further members so often at most."""


@workflow.defn(name="SharedCause")
class SharedCauseWorkflow:
    """Waits on: members that join, its release."""

    @workflow.init
    def __init__(self, known: KnownCause) -> None:
        self._known = known
        self._members = {member.incident_id: member for member in known.members}
        self._unanswered: list[CauseJoined] = []
        self._called_for = known.severity
        self._told = len(self._members)
        self._released = False

    @workflow.run
    async def run(self, known: KnownCause) -> None:
        workflow.set_current_details(f"{known.cause}: {known.holder} sees to it")
        while not self._released:
            await workflow.wait_condition(lambda: self._released or bool(self._unanswered))
            await self._answer()
            await self._tell_holder()
            if workflow.info().is_continue_as_new_suggested() and not self._released and not self._unanswered:
                goes_on = {"members": tuple(self._members.values()), "severity": self._called_for}
                workflow.continue_as_new(known.model_copy(update=goes_on))
        while self._members:  # who joins meanwhile is told as well
            incident_id = next(iter(self._members))
            del self._members[incident_id]
            await self._signal(incident_id, CAUSE_OVER, CauseOver(cause=known.cause))

    @workflow.signal
    def join(self, joined: CauseJoined) -> None:
        """Again is harmless: it is answered again."""
        self._members[joined.incident_id] = joined
        self._unanswered.append(joined)

    @workflow.signal
    def release(self) -> None:
        self._released = True

    async def _answer(self) -> None:
        while self._unanswered:
            member = self._unanswered.pop(0)
            graver = GRAVITY[member.severity] < GRAVITY[self._called_for]
            if graver:
                self._called_for = member.severity
            held = CauseHeld(cause=self._known.cause, holder=self._known.holder, call=graver)
            await self._signal(member.incident_id, CAUSE_HELD, held)

    async def _tell_holder(self) -> None:
        if self._told == len(self._members) or self._released:
            return
        self._told = len(self._members)
        await self._signal(self._known.holder, CAUSE_SHARED, CauseShared(cause=self._known.cause, members=self._told))
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._released or bool(self._unanswered),
                timeout=TELLS_EVERY,
                timeout_summary="until the holder is told again",
            )

    async def _signal(self, incident_id: str, name: str, said: Any) -> None:
        """One that has ended meanwhile needs to hear nothing."""
        with suppress(FailureError):
            await workflow.get_external_workflow_handle(incident_id).signal(name, said)


class Causes:
    """The causes that one incident holds. `held` are those that it took in an earlier run."""

    def __init__(self, held: tuple[HeldLock, ...] = ()) -> None:
        self._carried = list(held)
        self._taken: list[ChildWorkflowHandle[Any, Any]] = []

    @property
    def held(self) -> tuple[HeldLock, ...]:
        taken = (HeldLock(id=cause.id, run_id=cause.first_execution_run_id or "") for cause in self._taken)
        return (*self._carried, *taken)

    async def hold(self, cluster: str, cause: SharedCause, severity: Severity) -> bool:
        """Whether this incident sees to it: it does already, or nobody else did."""
        info, cause_id = workflow.info(), cause.workflow_id(cluster)
        if any(held.id == cause_id for held in self.held):
            return True
        known = KnownCause(cause=cause, cluster=cluster, holder=info.workflow_id, since=workflow.now(), severity=severity)
        try:
            self._taken.append(
                await workflow.start_child_workflow(
                    SharedCauseWorkflow.run,
                    known,
                    id=cause_id,
                    parent_close_policy=ParentClosePolicy.ABANDON,
                    memo={
                        HOLDER: info.workflow_id,
                        HOLDERS_CHAIN: info.first_execution_run_id,
                        CAUSE: known.model_dump(mode="json"),
                    },
                    static_summary=f"{cause}: {info.workflow_id} sees to it",
                )
            )
        except WorkflowAlreadyStartedError:
            return False
        return True

    async def join(self, cluster: str, cause: SharedCause, severity: Severity) -> bool:
        """Whether it is still held: False where it ended a moment ago."""
        joined = CauseJoined(incident_id=workflow.info().workflow_id, severity=severity)
        try:
            await workflow.get_external_workflow_handle_for(SharedCauseWorkflow.run, cause.workflow_id(cluster)).signal(
                SharedCauseWorkflow.join, joined
            )
        except FailureError:
            return False
        return True

    async def release(self, but: Container[str] = ()) -> None:
        """All of them but those with these ids. One that somebody ended by hand is released as well."""
        for held in self.held:
            if held.id not in but:
                with suppress(FailureError):
                    await workflow.get_external_workflow_handle_for(SharedCauseWorkflow.run, held.id).signal(
                        SharedCauseWorkflow.release
                    )
        self._carried = [held for held in self._carried if held.id in but]
        self._taken = [cause for cause in self._taken if cause.id in but]
