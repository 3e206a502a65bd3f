"""Planned maintenance, as somebody declares it with annotations on a workload, its namespace or its node."""

from datetime import datetime, timedelta
from typing import Final

from pydantic import AwareDatetime

from opsmend.domain.record import Record
from opsmend.domain.target import ObjectRef

UNTIL_ANNOTATION: Final = "opsmend.io/maintenance-until"
"""RFC 3339, e.g. `2026-03-14T16:00:00Z`."""
REASON_ANNOTATION: Final = "opsmend.io/maintenance-reason"

LONGEST: Final = timedelta(hours=24)
"""A window that ends later than so is not believed: a mistyped year must not silence an incident. Who needs more renews it."""


class Maintenance(Record):
    """A declared window. What stands in the annotations is foreign text, redacted and bounded."""

    declared_on: ObjectRef
    until_text: str
    until: AwareDatetime | None
    """None where the text is no time with an offset."""
    reason: str = ""

    def doubt(self, now: datetime) -> str:
        """Why it does not hold at `now`; empty when it does."""
        if self.until is None:
            return f"{self.until_text!r} is no time such as 2026-03-14T16:00:00Z"
        if self.until <= now:
            return f"it ended at {self.until:%Y-%m-%d %H:%M} UTC"
        if self.until - now > LONGEST:
            hours = LONGEST.total_seconds() / 3600
            return f"it would end at {self.until:%Y-%m-%d %H:%M} UTC, more than {hours:.0f} h from now, which is not believed"
        return ""
