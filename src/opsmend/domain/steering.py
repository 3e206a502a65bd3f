"""What a person on call may have an open incident do, beside answering its question."""

from datetime import timedelta
from typing import Final

from pydantic import AwareDatetime, Field

from opsmend.domain.approval import Person
from opsmend.domain.record import StrictRecord

LONGEST_SNOOZE: Final = timedelta(days=7)
"""Whoever wants to hear nothing for longer takes the incident over, or stops it."""


class TakeOver(StrictRecord):
    """A person sees to it. opsmend stands back: it asks, reminds and changes nothing more. A change that it made stays."""

    by: Person
    reason: str = Field(default="", max_length=500)


class Stop(StrictRecord):
    """The incident ends. A change that was made is undone first."""

    by: Person
    reason: str = Field(default="", max_length=500)


class Snooze(StrictRecord):
    """No reminder and no escalation before `until`; the question stands."""

    by: Person
    until: AwareDatetime


class WrongDiagnosis(StrictRecord):
    """A person says that the diagnosis of this run is wrong: memory shall not recall it."""

    by: Person
    note: str = Field(default="", max_length=1000)


class Steered(StrictRecord):
    """The incident took it. `what` is a sentence."""

    incident_id: str
    what: str
