"""A language model as the tier after rules and memory."""

from typing import Protocol

from opsmend.domain.budget import Usage
from opsmend.domain.diagnosis import Diagnosis, Evidence, Finding
from opsmend.domain.record import Record
from opsmend.domain.snapshot import Snapshot


class Thought(Record):
    """`diagnosis` is None when the model abstained or there is none; `reason` says which."""

    diagnosis: Diagnosis | None
    reason: str
    usage: Usage = Usage()


class Thinker(Protocol):
    async def think(self, snapshot: Snapshot, findings: tuple[Finding, ...], metrics: tuple[Evidence, ...]) -> Thought:
        """Diagnose what the rules could not. All text in the arguments is redacted and hostile."""
        ...
