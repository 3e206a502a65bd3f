"""The second channel: what reaches people while chat does not, or does not wake them."""

from typing import Annotated, Protocol

from pydantic import AwareDatetime, Field

from opsmend.domain.alert import Severity
from opsmend.domain.call import CallReason
from opsmend.domain.incident import Outcome
from opsmend.domain.record import Record
from opsmend.domain.target import ObjectRef

Line = Annotated[str, Field(max_length=600)]
"""A text of others, redacted, on one line and without control characters: policy.outgoing.line makes it."""


class Page(Record):
    """A call of one incident, for a pager."""

    incident_id: str
    run_id: str
    key: str
    """That of the call: unique within the run."""
    reason: CallReason
    severity: Severity
    cluster: str
    target: ObjectRef
    summary: Line
    """What broke, or how it ended."""
    text: Line
    """What happened that a person is needed for."""
    needed: Line
    """What has to be done, by whom and until when."""
    alerts: Annotated[tuple[Line, ...], Field(max_length=5)] = ()
    """Names of the first few."""
    plan: Line = ""
    at: AwareDatetime
    temporal_ui: str = ""


class PageOver(Record):
    """Nobody is needed for this incident any more."""

    incident_id: str
    run_id: str
    cluster: str
    target: ObjectRef
    outcome: Outcome | None
    summary: Line
    at: AwareDatetime
    temporal_ui: str = ""


class Paged(Record):
    """What became of a page."""

    by: tuple[str, ...] = ()
    """Pagers that have taken it: pagerduty, smtp, webhook. None where no pager is configured: nobody is reached this way."""
    refused: tuple[str, ...] = ()
    """Why others will never take it, a sentence each."""


class Pager(Protocol):
    """All methods raise PagerUnavailableError (try again) and PagerRejectedError (a person must see to the pager)."""

    async def trigger(self, page: Page) -> Paged:
        """Page somebody. Twice with the same key is one page, as far as the other side can tell."""
        ...

    async def resolve(self, over: PageOver) -> Paged:
        """Take back what was triggered for this incident. Twice is once."""
        ...

    async def check(self) -> str:
        """Ask whether the other side can be reached with our credential, and page nobody. A sentence on what was found."""
        ...
