"""Steering incidents without Temporal: keeps what it was asked, fails when told to."""

from opsmend.domain.approval import Person
from opsmend.domain.ports.desk import IncidentReceipt
from opsmend.domain.steering import Snooze, Steered, Stop, TakeOver, WrongDiagnosis
from opsmend.domain.target import Target
from opsmend.errors import OpsmendError
from tests.change_control_in_memory import must_be_in

Asked = TakeOver | Stop | Snooze | WrongDiagnosis


class SteeringInMemory:
    """Implements IncidentSteering. `failing` is raised by every method. `operators`: only members of this group may."""

    def __init__(self, operators: str = "") -> None:
        self._operators = operators
        self.asked: list[tuple[str, Asked]] = []
        self.investigated: list[tuple[Target, Person]] = []
        self.wrong: set[str] = set()
        self.failing: OpsmendError | None = None

    async def take_over(self, incident_id: str, request: TakeOver) -> Steered:
        return self._take(incident_id, request)

    async def stop(self, incident_id: str, request: Stop) -> Steered:
        return self._take(incident_id, request)

    async def snooze(self, incident_id: str, request: Snooze) -> Steered:
        return self._take(incident_id, request)

    async def mark_wrong(self, incident_id: str, run_id: str | None, wrong: WrongDiagnosis) -> Steered:
        steered = self._take(incident_id, wrong)
        self.wrong.add(run_id or "latest")
        return steered

    async def is_marked_wrong(self, incident_id: str, run_id: str) -> bool:
        return run_id in self.wrong

    async def investigate(self, target: Target, by: Person) -> IncidentReceipt:
        self._fail()
        created = not any(known == target for known, _ in self.investigated)
        self.investigated.append((target, by))
        return IncidentReceipt(id=f"investigation:{target}", created=created)

    def _take(self, incident_id: str, request: Asked) -> Steered:
        self._fail()
        must_be_in(self._operators, request.by)
        self.asked.append((incident_id, request))
        return Steered(incident_id=incident_id, what="taken")

    def _fail(self) -> None:
        if self.failing:
            raise self.failing
