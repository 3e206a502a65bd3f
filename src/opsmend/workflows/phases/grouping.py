"""Grouping under a shared cause: one incident sees to it, and asks; the others wait for its end, quietly."""

from datetime import timedelta
from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from opsmend.domain.alert import GRAVITY
    from opsmend.domain.alert_book import AlertBook
    from opsmend.domain.call import CallReason
    from opsmend.domain.diagnosis import Diagnosis
    from opsmend.domain.opened import Grouped
    from opsmend.domain.shared_cause import CauseHeld, CauseOver, CauseShared, SharedCause

from opsmend.workflows.phases.incident_log import IncidentLog
from opsmend.workflows.phases.interruptions import Interruptions
from opsmend.workflows.shared_cause import Causes

GROUPS_UNDER_CAUSES: Final = "who-shares-a-cause-waits-for-the-incident-that-sees-to-it"
"""Patch: runs that began before it ask for themselves. It can go once no run is older than 0.2."""

RECOVERS_WITHIN: Final = timedelta(minutes=2)
"""Given to a member to become well once its cause is over, before it is looked at again."""

LOOKS_AT_LEAST: Final = timedelta(hours=1)
"""A member looks again so often, though nobody said that its cause is over."""


class Grouping:
    """`under`: it waits for another incident. `closely`: its next look is a whole one, whichever causes are known."""

    def __init__(
        self, log: IncidentLog, book: AlertBook, interruptions: Interruptions, causes: Causes, under: Grouped | None
    ) -> None:
        self._log = log
        self._book = book
        self._interruptions = interruptions
        self._causes = causes
        self.under = under
        self.closely = bool(causes.held)

    async def go_on(self) -> None:
        """Wait on where the run before had to leave it."""
        if self.under is not None:
            await self._wait()

    async def sees_to_it(self, cause: SharedCause) -> bool:
        """Whether this incident does. If another one does, this returns False once it is time to look again.

        Raises:
            IncidentOver: every alert resolved meanwhile, or somebody ended the incident.
            HistoryFullError: it is waited for in the next run.
        """
        self.closely = True  # unless it waits: then it says anew how to look
        if not workflow.patched(GROUPS_UNDER_CAUSES):
            return True
        cluster, severity = self._log.state.target.cluster, self._book.severity
        while not await self._causes.hold(cluster, cause, severity):
            self.under = Grouped(cause=cause, until=workflow.now() + LOOKS_AT_LEAST, severity=severity)
            if await self._causes.join(cluster, cause, severity):
                await self._wait()
                return False
            self.under = None
        return True

    async def stand_for(self, causes: tuple[SharedCause, ...]) -> None:
        """Others wait for this incident from now on, unless one of them sees to it already. This one does not wait for that."""
        if causes and workflow.patched(GROUPS_UNDER_CAUSES):
            for cause in causes:
                await self._causes.hold(self._log.state.target.cluster, cause, self._book.severity)

    async def let_go(self, found: Diagnosis) -> None:
        """Others wait for this incident no longer than it finds what they wait for."""
        causes = (found.shared, *found.stands_for)
        cluster = self._log.state.target.cluster
        await self._causes.release(but={cause.workflow_id(cluster) for cause in causes if cause})

    async def release(self) -> None:
        """Others may look again: it is over, or nobody sees to it any more."""
        if self._causes.held:
            await self._causes.release()

    def held_by_another(self, held: CauseHeld) -> None:
        if self.under is None or self.under.cause != held.cause:
            return
        sentence = f"{held.cause} is why, as for others: grouped under {held.holder}, which sees to it; nothing is changed here"
        if held.call:
            self._log.call(CallReason.NEEDS_PERSON, f"Graver than all that is known to suffer from it: {sentence}")
        self._log.note("cause.grouped", sentence)
        self._log.enter(self._log.state.status, self._book.severity)

    def is_over(self, over: CauseOver) -> None:
        if self.under is not None and self.under.cause == over.cause:
            soon = workflow.now() + RECOVERS_WITHIN
            self.under = self.under.model_copy(update={"until": min(self.under.until, soon), "over": True})

    def is_shared(self, shared: CauseShared) -> None:
        """Others wait for this one."""
        self._log.note("cause.shared", f"{shared.members} other targets suffer from {shared.cause} and wait for this incident")
        self._log.enter(self._log.state.status, self._book.severity)

    async def _wait(self) -> None:
        while self.under is not None:
            due = self.under.until
            left = max(due - workflow.now(), timedelta(0))

            def changed(due: object = due) -> bool:
                return self._book.all_resolved or self._grew_graver or (self.under is not None and self.under.until != due)

            if not await self._interruptions.wait(changed, left, f"until {self.under.cause} is over"):
                # An hour under a cause that nobody called over: it may have a trouble of its own besides.
                self.closely = not self.under.over
                self._log.note("cause.looking", f"the alert still fires: looking again whether {self.under.cause} is why")
                self.under = None
            elif self._book.all_resolved:
                cause, self.under = self.under.cause, None
                raise self._interruptions.outcome(f"the trouble of {cause}")
            elif self._grew_graver:
                await self._join_as_grave()

    @property
    def _grew_graver(self) -> bool:
        return self.under is not None and GRAVITY[self._book.severity] < GRAVITY[self.under.severity]

    async def _join_as_grave(self) -> None:
        """It may be the gravest by now, and then calls people. Where the cause has ended meanwhile, it looks again at once."""
        assert self.under is not None  # noqa: S101 - it waits
        under, severity = self.under, self._book.severity
        self.under = under.model_copy(update={"severity": severity})
        if not await self._causes.join(self._log.state.target.cluster, under.cause, severity):
            self.under = self.under.model_copy(update={"until": workflow.now()})
