"""After an end that leaves the alert firing: the run stays, so that resends open nothing new (docs/decisions/0001).

A target that was found well, or that nobody could look at, is looked at again while its alert fires on: after a while, and soon
after the alert says something else than before. If there is something to see by then, a new incident sees to it.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from opsmend.domain.alert_book import AlertBook
    from opsmend.domain.diagnosis import HEALTHY, Diagnosis
    from opsmend.domain.incident import Outcome, Patience
    from opsmend.domain.opened import Listened

from opsmend.workflows.phases.guests import Guests
from opsmend.workflows.phases.incident_log import IncidentLog
from opsmend.workflows.phases.interruptions import Interruptions

LISTENING_AFTER: Final = frozenset({Outcome.ESCALATED, Outcome.NO_ACTION, Outcome.ROLLED_BACK})
"""Outcomes that leave the alert firing."""

QUIET_OF_GUESTS: Final = timedelta(hours=1)
"""When the firing of a node's incident counts as over that knows of it only by what runs there: those look every half hour."""

LONGEST_UNTIL_LOOK: Final = timedelta(hours=4)
"""Between two looks at a target that is well under a firing alert."""

SOONEST_LOOK: Final = timedelta(minutes=5)
"""After the last look, however often the alert says something else: some carry a number that changes all the time."""

_MOST_DOUBLINGS: Final = 16

ONE_TIMER: Final = "a-resend-does-not-start-the-timer-of-its-firing-again"
"""Patch: runs that began before it start a timer for each alert, and look at nothing again. It can go once no run is older
than 0.2."""


class Listening:
    """`done` is what a run hands to the next. `look` makes a fresh diagnosis; None where it cannot."""

    def __init__(
        self,
        log: IncidentLog,
        book: AlertBook,
        interruptions: Interruptions,
        guests: Guests,
        terms: Patience,
        look: Callable[[], Awaitable[Diagnosis | None]],
        done: Listened | None = None,
    ) -> None:
        self._log = log
        self._book = book
        self._interruptions = interruptions
        self._guests = guests
        self._terms = terms
        self._look = look
        self.done = done or Listened(heard_at=workflow.now())
        self._looked_at = workflow.now()
        self._heeded = book.said_otherwise

    def heard(self) -> None:
        """Alerts came just now."""
        self.done = self.done.model_copy(update={"heard_at": workflow.now()})

    def look_later(self) -> None:
        """The incident was closed as one that is worth another look while its alert fires on."""
        self._looked_at = workflow.now()
        self._heeded = self._book.said_otherwise
        self._set_next(self._looked_at + self._terms.look_again_after)

    async def until_over(self) -> bool:
        """Whether it ended because a look found that it has to be looked into anew.

        Raises:
            HistoryFullError: it is listened on in the next run.
        """
        if self._log.state.outcome not in LISTENING_AFTER:
            return False
        if not workflow.patched(ONE_TIMER):
            await self._start_a_timer_for_each_alert()
            return False
        while not self._is_over:
            self._heed_what_is_said()
            due = min(filter(None, (self._quiet_at, self.done.next_look)))
            if await self._something_happens(due):
                continue
            if workflow.now() >= self._quiet_at:
                return False
            if self.done.next_look and workflow.now() >= self.done.next_look and await self._has_to_be_looked_into():
                return True
        return False

    @property
    def _is_over(self) -> bool:
        return self._book.all_resolved or bool(self._book.unsettled) or bool(self._interruptions.stopped)

    @property
    def _quiet_at(self) -> datetime:
        """When the firing counts as over unless it is heard of until then."""
        quiet = min(self._terms.quiet_after, QUIET_OF_GUESTS) if self._book.only_guests else self._terms.quiet_after
        return self.done.heard_at + quiet

    async def _something_happens(self, due: datetime) -> bool:
        """Whether it did before `due`. A mere resend is nothing: it costs no timer."""
        return await self._interruptions.wait(
            lambda: self._is_over or self._says_otherwise,
            max(due - workflow.now(), timedelta(0)),
            "until the firing counts as over, or the next look",
        )

    @property
    def _says_otherwise(self) -> bool:
        return self.done.next_look is not None and self._book.said_otherwise != self._heeded

    def _heed_what_is_said(self) -> None:
        if self._says_otherwise and self.done.next_look:
            self._set_next(min(self.done.next_look, max(workflow.now(), self._looked_at + SOONEST_LOOK)))
        self._heeded = self._book.said_otherwise

    async def _has_to_be_looked_into(self) -> bool:
        seen = await self._look()
        self._looked_at = workflow.now()
        if seen is not None and (seen.category != HEALTHY or self._log.state.outcome is not Outcome.NO_ACTION):
            return True
        # Who could not look tries at the same pace; who saw that all is well may take longer each time.
        looks = min(self.done.looks + 1, _MOST_DOUBLINGS) if seen is not None else 0
        pause = min(self._terms.look_again_after * 2**looks, max(LONGEST_UNTIL_LOOK, self._terms.look_again_after))
        self.done = self.done.model_copy(update={"looks": looks})
        self._set_next(workflow.now() + pause)
        return False

    def _set_next(self, at: datetime) -> None:
        self.done = self.done.model_copy(update={"next_look": at})

    async def _start_a_timer_for_each_alert(self) -> None:
        while not self._book.all_resolved and not self._book.unsettled:
            if self._book.has_guests and not self._guests.blame_it:
                await self._guests.hand_back()
            elif not await self._another_alert():
                return

    async def _another_alert(self) -> bool:
        """Whether any alert came before the firing counts as over."""
        before = self._book.received
        try:
            await workflow.wait_condition(
                lambda: self._book.received > before,
                timeout=min(self._terms.quiet_after, QUIET_OF_GUESTS) if self._book.only_guests else self._terms.quiet_after,
                timeout_summary="until the firing counts as over",
            )
        except TimeoutError:
            return False
        return True
