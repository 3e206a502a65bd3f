"""A front desk over a dictionary: the rules of the real one, for tests of whoever asks it."""

from tests.builders import NOW

from opsmend.domain.alert import Alert
from opsmend.domain.approval import Approval, DecisionRecorded, DecisionRequest
from opsmend.domain.incident import IncidentState, Outcome, Status
from opsmend.domain.ports.desk import IncidentPage, IncidentReceipt, IncidentRow
from opsmend.domain.target import Target
from opsmend.errors import (
    AlreadyDecidedError,
    IncidentNotFoundError,
    NothingToDecideError,
    OpsmendError,
    PlanHashStaleError,
    PolicyRefusedError,
)


class MemoryDesk:
    """Lets members of `approvers` decide on the incidents it was given; `broken` is raised instead of any answer."""

    def __init__(self, *incidents: IncidentState, approvers: str = "sre") -> None:
        self.incidents = {incident.id: incident for incident in incidents}
        self.decisions: list[DecisionRequest] = []
        self.approvers = approvers
        self.broken: OpsmendError | None = None

    async def decide(self, incident_id: str, request: DecisionRequest) -> DecisionRecorded:
        if self.broken:
            raise self.broken
        state = await self.get(incident_id)
        if state.approval:
            raise AlreadyDecidedError(f"{state.approval.by} decided")
        if state.plan is None or state.status is not Status.AWAITING_APPROVAL:
            raise NothingToDecideError(incident_id)
        if request.plan_hash != state.plan.hash:
            raise PlanHashStaleError(request.plan_hash)
        if self.approvers not in request.by.groups:
            raise PolicyRefusedError(f"only members of {self.approvers} decide here.")
        self.decisions.append(request)
        approval = Approval(**request.model_dump(), at=NOW)
        self.incidents[incident_id] = state.model_copy(update={"approval": approval, "status": Status.EXECUTING})
        return DecisionRecorded(incident_id=incident_id, plan_hash=request.plan_hash, decision=request.decision)

    async def get(self, incident_id: str, run_id: str | None = None) -> IncidentState:
        if incident_id not in self.incidents:
            raise IncidentNotFoundError(incident_id)
        return self.incidents[incident_id]

    async def submit(
        self, target: Target, alerts: tuple[Alert, ...], *, alone: bool = False, left_out: int = 0
    ) -> IncidentReceipt | None:
        raise NotImplementedError

    async def group_under(self, node: Target, alerts: tuple[Alert, ...]) -> None:
        raise NotImplementedError

    async def page(
        self, status: Status | None = None, outcome: Outcome | None = None, *, begin: bytes | None = None, limit: int = 200
    ) -> IncidentPage:
        raise NotImplementedError

    async def list(self, status: Status | None = None, outcome: Outcome | None = None) -> tuple[IncidentRow, ...]:
        raise NotImplementedError

    def ui_link(self, incident_id: str, run_id: str) -> str:
        raise NotImplementedError
