"""The question to a person and the answer."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from opsmend.domain.record import Record, StrictRecord


class Answer(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


class Person(StrictRecord):
    """Who answers: `via` is slack, http, terminal, temporal (a signal)…; `groups` are what the channel vouches for."""

    via: str
    id: str
    name: str = ""
    groups: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name or self.id} ({self.via})"


class DecisionRequest(StrictRecord):
    """An answer to the plan with this hash."""

    plan_hash: str
    decision: Answer
    by: Person
    reason: str = Field(default="", max_length=2000)


class DecisionRecorded(Record):
    """The incident took the answer."""

    incident_id: str
    plan_hash: str
    decision: Answer


class Approval(StrictRecord):
    """Who let this plan run, or refused it. An `auto` plan is approved by the policy itself."""

    plan_hash: str
    decision: Answer
    by: Person
    reason: str = ""
    at: AwareDatetime
