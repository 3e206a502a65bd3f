"""A person is needed: what a call says, whatever it is told by."""

from datetime import UTC
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, Field

from opsmend.domain.record import Record


class CallReason(StrEnum):
    """Each state of an incident in which it cannot go on, or has ended, without a person."""

    QUESTION = "question"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    """Nobody has answered for long."""
    ROLLED_BACK = "rolled_back"
    UNDO_FAILED = "undo_failed"
    BUDGET = "budget"
    EXPIRED = "expired"
    """Nobody answered in time, and the question is withdrawn."""
    NEEDS_PERSON = "needs_person"
    """Any other end that leaves the problem to people."""


ANSWERABLE: Final = frozenset({CallReason.QUESTION, CallReason.REMINDER, CallReason.ESCALATION})
"""Calls about a question: once it is answered nobody needs to come."""

OUTLIVES_ITS_ALERTS: Final = frozenset({CallReason.UNDO_FAILED})
"""Calls about what opsmend left behind: somebody has to come though every alert has resolved."""

BEYOND_THE_TEAM: Final = frozenset(CallReason) - {CallReason.QUESTION, CallReason.REMINDER}
"""Calls that also go to the escalation channel, at once."""

_NEEDED: Final = {
    CallReason.QUESTION: "Somebody who may decide has to answer",
    CallReason.REMINDER: "Somebody who may decide still has to answer",
    CallReason.ESCALATION: "Somebody who may decide still has to answer",
    CallReason.ROLLED_BACK: "On-call has to go on: the problem is still there",
    CallReason.UNDO_FAILED: "On-call has to look at once: a change that did not help may still be in place",
    CallReason.BUDGET: "On-call has to go on: opsmend stops at its budget",
    CallReason.EXPIRED: "On-call has to go on: the problem is still there",
    CallReason.NEEDS_PERSON: "On-call has to go on",
}


class Call(Record):
    """One new message that notifies. Nothing else of an incident notifies anybody."""

    reason: CallReason
    text: str
    """What happened, in a sentence."""
    key: str = Field(min_length=1, max_length=200)
    """Unique within the incident's run. The same key is the same call, however often it is tried; a new key calls again."""
    at: AwareDatetime
    until: AwareDatetime | None = None
    """When it will be too late to answer."""

    @property
    def needed(self) -> str:
        """What has to be done, by whom and until when, as a sentence."""
        deadline = f" by {self.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if self.until else ""
        return f"{_NEEDED[self.reason]}{deadline}."
