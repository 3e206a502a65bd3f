"""An IncidentDesk in memory, for tests of what stands in front of it. Keeps what it was given; fails when told to."""

import asyncio
from datetime import UTC, datetime

from opsmend.domain.alert import Alert, AlertStatus
from opsmend.domain.approval import Approval, DecisionRecorded, DecisionRequest
from opsmend.domain.incident import IncidentState, Outcome, Status
from opsmend.domain.ports.desk import IncidentDesk, IncidentPage, IncidentReceipt, IncidentRow
from opsmend.domain.target import Target
from opsmend.errors import AlreadyDecidedError, IncidentNotFoundError, NothingToDecideError, OpsmendError, PlanHashStaleError


class DeskInMemory:
    """`failing` is raised by every method; `failing_for` by submit for these incident ids."""

    def __init__(self, *states: IncidentState) -> None:
        self.runs: dict[str, list[IncidentState]] = {}
        for state in states:
            self.runs.setdefault(state.id, []).append(state)
        self.submitted: list[tuple[Target, tuple[Alert, ...]]] = []
        self.left_out: dict[str, int] = {}
        self.decisions: list[tuple[str, DecisionRequest]] = []
        self.failing: OpsmendError | None = None
        self.failing_for: dict[str, OpsmendError] = {}
        self.refuses_to_decide: OpsmendError | None = None
        self.in_flight = 0
        self.most_in_flight = 0

    @property
    def alerts(self) -> list[Alert]:
        return [alert for _, alerts in self.submitted for alert in alerts]

    async def submit(
        self, target: Target, alerts: tuple[Alert, ...], *, alone: bool = False, left_out: int = 0
    ) -> IncidentReceipt | None:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)
            self.left_out[target.incident_id] = left_out
            return self._take(target, alerts)
        finally:
            self.in_flight -= 1

    def _take(self, target: Target, alerts: tuple[Alert, ...]) -> IncidentReceipt | None:
        self._fail()
        if error := self.failing_for.get(target.incident_id):
            raise error
        self.submitted.append((target, alerts))
        known = self.runs.get(target.incident_id, [])
        is_open = bool(known) and known[-1].status is not Status.CLOSED
        if not is_open and all(alert.status is AlertStatus.RESOLVED for alert in alerts):
            return None
        if not is_open:
            opened = IncidentState(
                id=target.incident_id, run_id=f"run-{len(known)}", target=target, opened_at=datetime.now(UTC)
            )
            self.runs.setdefault(target.incident_id, []).append(opened)
        return IncidentReceipt(id=target.incident_id, created=not is_open)

    async def group_under(self, node: Target, alerts: tuple[Alert, ...]) -> None:
        self._take(node, alerts)

    async def decide(self, incident_id: str, request: DecisionRequest) -> DecisionRecorded:
        self._fail()
        state = self._latest(incident_id)
        if self.refuses_to_decide:
            raise self.refuses_to_decide
        if state.approval:
            raise AlreadyDecidedError(f"{state.approval.by} answered before.")
        if state.plan is None or state.status is not Status.AWAITING_APPROVAL:
            raise NothingToDecideError("No question is open.")
        if request.plan_hash != state.plan.hash:
            raise PlanHashStaleError(f"The question is about plan {state.plan.short_hash} now.")
        self.decisions.append((incident_id, request))
        approval = Approval(
            plan_hash=request.plan_hash, decision=request.decision, by=request.by, reason=request.reason, at=datetime.now(UTC)
        )
        self.runs[incident_id][-1] = state.model_copy(update={"approval": approval})
        return DecisionRecorded(incident_id=incident_id, plan_hash=request.plan_hash, decision=request.decision)

    async def get(self, incident_id: str, run_id: str | None = None) -> IncidentState:
        self._fail()
        if run_id is None:
            return self._latest(incident_id)
        for state in self.runs.get(incident_id, []):
            if state.run_id == run_id:
                return state
        raise IncidentNotFoundError(f"{incident_id} has no run {run_id}.")

    async def page(
        self, status: Status | None = None, outcome: Outcome | None = None, *, begin: bytes | None = None, limit: int = 200
    ) -> IncidentPage:
        self._fail()
        skipped = int(begin or b"0")
        rows = (await self.list(status, outcome))[skipped:]
        return IncidentPage(rows=rows[:limit], next=str(skipped + limit).encode() if len(rows) > limit else None)

    async def list(self, status: Status | None = None, outcome: Outcome | None = None) -> tuple[IncidentRow, ...]:
        self._fail()
        states = [state for runs in self.runs.values() for state in runs]
        wanted = [s for s in states if status in (None, s.status) and outcome in (None, s.outcome)]
        newest_first = sorted(wanted, key=lambda s: s.opened_at, reverse=True)
        return tuple(
            IncidentRow(
                id=s.id,
                run_id=s.run_id,
                status=s.status,
                outcome=s.outcome,
                opened_at=s.opened_at.isoformat(),
                summary=s.diagnosis.summary if s.diagnosis else str(s.target),
            )
            for s in newest_first
        )

    def ui_link(self, incident_id: str, run_id: str) -> str:
        return f"http://temporal.test/namespaces/default/workflows/{incident_id}/{run_id}/history"

    def _latest(self, incident_id: str) -> IncidentState:
        if incident_id not in self.runs:
            raise IncidentNotFoundError(f"There is no incident {incident_id}.")
        return self.runs[incident_id][-1]

    def _fail(self) -> None:
        if self.failing:
            raise self.failing


def _fits_the_port(desk: DeskInMemory) -> IncidentDesk:
    return desk
