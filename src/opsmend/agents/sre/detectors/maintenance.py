"""Somebody declared planned maintenance: what is broken now is broken on purpose, and is left alone until the window ends."""

from typing import Final

from opsmend.agents.sre.failure_class import FailureClass
from opsmend.agents.sre.reading.maintenance import declared
from opsmend.agents.sre.reading.notes import Notes
from opsmend.domain.diagnosis import Finding, Hint, Remedy
from opsmend.domain.maintenance import REASON_ANNOTATION, UNTIL_ANNOTATION
from opsmend.domain.snapshot import Snapshot


def detect(snapshot: Snapshot) -> list[Finding]:
    """Abstains for windows that are over, unreadable, or longer than is believed (see domain/maintenance.py)."""
    windows = [(window.until, window) for window in declared(snapshot) if not window.doubt(snapshot.taken_at)]
    believed = [(until, window) for until, window in windows if until is not None]
    if not believed:
        return []
    until, window = max(believed, key=lambda pair: pair[0])
    notes = Notes()
    for _, told in believed:
        reason = f", {REASON_ANNOTATION}: {told.reason}" if told.reason else ""
        notes.add(str(told.declared_on), f"{UNTIL_ANNOTATION}: {told.until_text}{reason}")
    why = f" ({window.reason})" if window.reason else ""
    return [
        FAILURE.finding(
            resource=window.declared_on,
            summary=f"{window.declared_on} is under planned maintenance until {until:%Y-%m-%d %H:%M} UTC{why}",
            confidence=1,
            evidence=notes.evidence,
            hints=(
                Hint(remedy=Remedy.NONE, object=window.declared_on, reason="nothing is changed while maintenance is planned"),
            ),
            until=until,
        )
    ]


FAILURE: Final = FailureClass(
    name="maintenance",
    rank=0,
    detect=detect,
    seen_in="workload",
    not_found="neither the workload nor its namespace is under planned maintenance",
)
