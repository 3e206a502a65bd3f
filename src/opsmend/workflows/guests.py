"""The alerts of what runs on a node, which its incident takes while the node is to blame, and hands back afterwards."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from opsmend.activities.incidents import HandBack, IncidentActivities
    from opsmend.agents.patience import NOTIFY, on
    from opsmend.agents.queues import CONNECTORS
    from opsmend.domain.alert_book import AlertBook
    from opsmend.domain.diagnosis import Category

from opsmend.workflows.incident_log import IncidentLog, root_of

GRACE: Final = timedelta(minutes=2)
"""What runs on a node is given to recover with it."""

AT_ONCE: Final = 200
"""Alerts handed back by one activity, some 200 KB."""


class Guests:
    """Nothing to do for an incident that has none."""

    def __init__(self, log: IncidentLog, book: AlertBook) -> None:
        self._log = log
        self._book = book

    @property
    def blame_it(self) -> bool:
        """Whether the node, as far as is known, is what they suffer from."""
        diagnosis = self._log.state.diagnosis
        return diagnosis is not None and diagnosis.category is Category.NODE_NOT_READY

    async def recover(self) -> None:
        """They get a moment to become well with the node."""
        if not self.blame_it or not self._book.has_guests:
            return
        try:
            await workflow.wait_condition(
                lambda: not self._book.has_guests or bool(self._book.unsettled),
                timeout=GRACE,
                timeout_summary="until what runs on the node has recovered",
            )
        except TimeoutError:
            self._log.note("guests.left", f"{len(self._book.guests)} alerts of what runs on the node still fire")

    async def hand_back(self) -> None:
        """Each to the incident of its own target, those that come meanwhile too. A new run of this incident keeps them."""
        while not self._book.unsettled and (some := self._book.guests[:AT_ONCE]):
            self._book.dismiss(some)
            try:
                await workflow.execute_activity_method(
                    IncidentActivities.hand_back,
                    HandBack(alerts=some),
                    **on(CONNECTORS, NOTIFY, f"Look into {len(some)} alerts for themselves: the node is not to blame"),
                )
            except FailureError as failure:
                if is_cancelled_exception(failure):
                    raise
                self._log.note("guests.failed", f"{len(some)} alerts could not be handed back: {root_of(failure)}")
