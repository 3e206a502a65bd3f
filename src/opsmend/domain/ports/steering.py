"""What a person on call may have incidents do, beside answering their questions."""

from typing import Protocol

from opsmend.domain.approval import Person
from opsmend.domain.ports.desk import IncidentReceipt
from opsmend.domain.steering import Snooze, Steered, Stop, TakeOver, WrongDiagnosis
from opsmend.domain.target import Target


class IncidentSteering(Protocol):
    """Raises TemporalUnavailableError from every method.

    The first four also raise IncidentNotFoundError, PolicyRefusedError, and the first three IncidentClosedError.
    """

    async def take_over(self, incident_id: str, request: TakeOver) -> Steered: ...

    async def stop(self, incident_id: str, request: Stop) -> Steered: ...

    async def snooze(self, incident_id: str, request: Snooze) -> Steered:
        """Raises BadPayloadError: the time is past or too far away. Raises NothingToDecideError: nothing is asked."""
        ...

    async def mark_wrong(self, incident_id: str, run_id: str | None, wrong: WrongDiagnosis) -> Steered:
        """Also of an incident that is closed: the run that is named, or the latest one. Twice is harmless."""
        ...

    async def is_marked_wrong(self, incident_id: str, run_id: str) -> bool:
        """Whether somebody who may has said that the diagnosis of this run is wrong."""
        ...

    async def investigate(self, target: Target, by: Person) -> IncidentReceipt:
        """Look into a target without an alert and change nothing; joins the investigation of it that is open."""
        ...
