"""The alerts of what runs on a node. Its incident keeps those that the node explains, for as long as it does; all others are
handed on to incidents of their own."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from opsmend.activities.incidents import HandBack, HandedBack, IncidentActivities
    from opsmend.agents.patience import NOTIFY, on
    from opsmend.agents.queues import CONNECTORS
    from opsmend.domain.alert import Alert
    from opsmend.domain.alert_book import AlertBook
    from opsmend.domain.call import CallReason
    from opsmend.domain.diagnosis import NODE_NOT_READY, Diagnosis
    from opsmend.domain.incident import Status

from opsmend.workflows.phases.incident_log import IncidentLog, root_of

GRACE: Final = timedelta(minutes=2)
"""What runs on a node is given to recover with it."""

AT_ONCE: Final = 200
"""Alerts handed back by one activity, some 200 KB."""

FRESH: Final = timedelta(minutes=1)
"""How long a look at a node tells how it is, once its incident is closed: a storm of guests costs one look a minute."""

CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""How long before the trouble of its node began an alert may say that it fires, and be explained by it all the same."""

HANDS_ON_AT_ONCE: Final = "a-guest-that-the-node-does-not-explain-is-handed-on-at-once"
"""Patch: runs that began before it judge guests only once they are closed. It can go once no run is older than 0.2."""


class Guests:
    """Nothing to do for an incident that has none. `look` makes a fresh diagnosis of the node; None where it cannot."""

    def __init__(self, log: IncidentLog, book: AlertBook, look: Callable[[], Awaitable[Diagnosis | None]]) -> None:
        self._log = log
        self._book = book
        self._look = look
        self._seen: Diagnosis | None = None
        self._seen_at: datetime | None = None

    @property
    def blame_it(self) -> bool:
        """Whether the node, as far as is known, is what they suffer from."""
        return _blamed(self._seen or self._log.state.diagnosis)

    async def attend(self) -> None:
        """Judge those that come, for as long as the incident lives."""
        while True:
            await workflow.wait_condition(lambda: self._book.has_new_guests and self._node_was_looked_at)
            if not workflow.patched(HANDS_ON_AT_ONCE):
                return
            await self._judge()

    @property
    def _node_was_looked_at(self) -> bool:
        return self._log.state.diagnosis is not None or self._log.state.status is Status.CLOSED

    async def _judge(self) -> None:
        finding = self._log.state.diagnosis
        if self._log.state.status is Status.CLOSED:
            finding = await self._how_it_is() if self.blame_it else None
        if _blamed(finding):
            strangers = [guest for guest in self._book.new_guests if not explains(finding, guest)]
        else:
            strangers = list(self._book.guests)
        self._book.judge(self._book.new_guests)
        for start in range(0, len(strangers), AT_ONCE):
            await self._hand_on(tuple(strangers[start : start + AT_ONCE]))

    async def _how_it_is(self) -> Diagnosis | None:
        """What closed the incident says nothing of the node as it is by now."""
        if self._seen_at is None or workflow.now() - self._seen_at > FRESH:
            self._seen = await self._look()
            self._seen_at = workflow.now()
        return self._seen

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
            if not await self._hand_on(some):
                return
        if over := self._book.resolved_after_handing_on:
            await self._hand_on(over)

    async def _hand_on(self, some: tuple[Alert, ...]) -> bool:
        """Whether they are somebody else's now. They are kept here until Temporal holds them there."""
        try:
            handed: HandedBack | None = await workflow.execute_activity_method(
                IncidentActivities.hand_back,
                HandBack(alerts=some),
                **on(CONNECTORS, NOTIFY, f"Look into {len(some)} alerts for themselves: the node is not to blame"),
            )
        except FailureError as failure:
            if is_cancelled_exception(failure):
                raise
            self._call_a_person(f"{len(some)} alerts could not be handed on to incidents of their own: {root_of(failure)}")
            return False
        self._book.hand_on(some)
        if handed and handed.refused:
            self._call_a_person(f"No incident takes the alerts of {'; '.join(handed.refused)}")
        return True

    def _call_a_person(self, sentence: str) -> None:
        self._log.call(CallReason.NEEDS_PERSON, sentence)
        self._log.note("guests.failed", sentence)


def _blamed(finding: Diagnosis | None) -> bool:
    return finding is not None and finding.category == NODE_NOT_READY


def explains(finding: Diagnosis | None, guest: Alert) -> bool:
    """Whether the trouble of the node can be why `guest` fires: a cause comes before what it causes."""
    if finding is None:
        return False
    began = min((evidence.at for evidence in finding.evidence if evidence.at), default=None)
    return began is None or guest.starts_at is None or guest.starts_at >= began - CLOCKS_DIFFER
