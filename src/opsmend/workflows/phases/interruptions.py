"""What may come between an incident and what it waits for: its alerts resolve, a person ends it, its workflow is cancelled, its
history grows long."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final, TypeVar

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from opsmend.domain.alert_book import AlertBook
    from opsmend.domain.incident import Outcome

from opsmend.workflows.phases.incident_log import IncidentOver
from opsmend.workflows.target_lock import TargetLocks

MOST_SIGNALS: Final = 8_000
"""Of one run. Temporal refuses the 10,001st (its `history.maximumSignalsPerExecution`)."""

MAY_FINISH: Final = "an-agent-that-is-called-off-may-finish"
"""Patch: runs that began before it call an agent off at once. It can go once no run is older than 0.2."""

CONTINUES: Final = "a-long-incident-goes-on-in-a-new-run"
"""Patch: runs that began before it keep their history however long it is. It can go once no run is older than 0.2."""

Result = TypeVar("Result")


class HistoryFullError(Exception):
    """No end: the incident goes on in a new run, with a history of its own. Raised only where it waits and nobody works."""


class Interruptions:
    """`stopped` says why the workflow has to end, `ended` why a person ended the incident; both are empty while nobody has."""

    def __init__(self, book: AlertBook, locks: TargetLocks) -> None:
        self._book = book
        self._locks = locks
        self.stopped = ""
        self.ended = ""
        self.stands_back = False
        """Whether the person who ended it sees to it: then a change that was made stays."""
        self.signals = 0
        self.at_work = 0
        """Agents' runs that are open: they would not outlive the run."""

    @property
    def history_is_full(self) -> bool:
        full = self.signals >= MOST_SIGNALS or workflow.info().is_continue_as_new_suggested()
        return full and not self.at_work and self._locks.outlive_the_run and workflow.patched(CONTINUES)

    @property
    def to_end(self) -> str:
        """Why it has to end now; empty while it may go on."""
        return self.stopped or self.ended

    def outcome(self, during: str = "") -> IncidentOver:
        """Of an incident that was interrupted before anything was changed."""
        if self.to_end:
            return IncidentOver(Outcome.ESCALATED, f"{self.to_end}; nothing was changed", known=True)
        resolved = f"every alert resolved during {during}" if during else "every alert resolved by itself; nothing was changed"
        return IncidentOver(Outcome.SELF_RESOLVED, resolved)

    async def unless(self, work: Coroutine[Any, Any, Result], *, finishes_in: timedelta | None = None) -> Result:
        """Do `work`, but end as soon as every alert has resolved or somebody stops the incident; used only while nothing was
        changed yet.

        What takes only a moment is not called off before it had that moment.
        """
        task = asyncio.create_task(work)
        await workflow.wait_condition(lambda: task.done() or self._book.all_resolved or bool(self.to_end))
        if task.done():
            return task.result()
        if finishes_in and not self.to_end and workflow.patched(MAY_FINISH):
            await workflow.wait([task], timeout=finishes_in.total_seconds())
        await called_off(task)
        raise self.outcome()

    def check(self) -> None:
        """Raises as `wait`, and IncidentOver also where every alert has resolved."""
        if self.to_end or self._book.all_resolved:
            raise self.outcome()
        if self.history_is_full:
            raise HistoryFullError

    async def wait(self, until: Callable[[], bool], timeout: timedelta, summary: str) -> bool:
        """Whether it came true in time.

        Raises:
            IncidentOver: somebody stopped the incident.
            HistoryFullError: the wait has to go on in the next run.
        """
        try:
            await workflow.wait_condition(
                lambda: until() or bool(self.to_end) or self.history_is_full, timeout=timeout, timeout_summary=summary
            )
        except TimeoutError:
            return False
        if until():
            return True
        raise self.outcome() if self.to_end else HistoryFullError


async def called_off(task: "asyncio.Task[Any]") -> None:
    """Returns once it has ended. A bug in it is none of its ordinary ends, and shows as ever."""
    task.cancel()
    await workflow.wait([task])
    failed = None if task.cancelled() else task.exception()
    if failed and not isinstance(failed, (FailureError, IncidentOver, HistoryFullError)):
        raise failed
