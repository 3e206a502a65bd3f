"""The question whether a plan may run: asked, reminded of, escalated, answered or expired."""

from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from opsmend.activities.policy import DeciderCheck, PolicyActivities
    from opsmend.agents.patience import JUDGE, on
    from opsmend.agents.queues import SECURITY
    from opsmend.domain.approval import Approval, DecisionRequest
    from opsmend.domain.call import ANSWERABLE, CallReason
    from opsmend.domain.incident import Outcome, Patience
    from opsmend.domain.opened import Asked
    from opsmend.domain.plan import Plan
    from opsmend.domain.verification import Baseline
    from opsmend.errors import AlreadyDecidedError, NothingToDecideError, PlanHashStaleError

from opsmend.workflows.phases.incident_log import IncidentLog, IncidentOver
from opsmend.workflows.phases.interruptions import Interruptions


class Question:
    """At most one plan waits for an answer at a time. `asked` says since when, while one does."""

    def __init__(self, log: IncidentLog, interruptions: Interruptions, terms: Patience, asked: Asked | None = None) -> None:
        self._log = log
        self._interruptions = interruptions
        self._terms = terms
        self.asked = asked
        self._plan = log.state.plan if asked else None

    def open(self, plan: Plan, baseline: Baseline) -> None:
        self._plan = plan
        self.asked = Asked(since=workflow.now(), deadlines_passed=0, baseline=baseline)
        self._log.call(CallReason.QUESTION, f"May opsmend carry this plan out: {plan.summary}?", until=self._expires)

    def snooze(self, until: datetime) -> None:
        """Nobody is reminded of it before, and all that would follow the reminder follows it as it would have.

        Raises NothingToDecideError: nothing is asked.
        """
        if self.asked is None:
            raise NothingToDecideError("nothing is asked at present, so nobody is reminded of anything")
        next_one = self._deadlines[self.asked.deadlines_passed][0]
        put_off = max(until - (self.asked.since + next_one), timedelta(0))
        self.asked = self.asked.model_copy(update={"put_off": put_off})

    def withdraw(self) -> None:
        """Nobody needs to answer any more."""
        self._plan = None
        self.asked = None

    async def answered(self) -> Approval:
        """Wait for the answer, for days.

        Raises:
            IncidentOver: nobody answered in time.
            HistoryFullError: it is asked on in the next run.
        """
        assert self.asked is not None  # noqa: S101 - it is open
        for after, event, reason, sentence in self._deadlines[self.asked.deadlines_passed :]:
            if await self._answered_by(after, event):
                break
            self.asked = self.asked.model_copy(update={"deadlines_passed": self.asked.deadlines_passed + 1})
            self._log.call(reason, sentence, until=self._expires if reason in ANSWERABLE else None)
            if event == "approval.escalated":
                self._log.set(escalations=self._log.state.escalations + 1)
            self._log.note(event, sentence)
        self.withdraw()
        if self._log.state.approval is None:
            raise IncidentOver(Outcome.ESCALATED, "the plan was not answered in time", known=True)
        return self._log.state.approval

    @property
    def _deadlines(self) -> tuple[tuple[timedelta, str, CallReason, str], ...]:
        terms = self._terms
        return (
            (terms.remind_after, "approval.reminded", CallReason.REMINDER, "Reminder: this plan still waits for an answer."),
            (terms.escalate_after, "approval.escalated", CallReason.ESCALATION, "Nobody has answered yet: escalated."),
            (terms.expire_after, "approval.expired", CallReason.EXPIRED, "Nobody answered in time; nothing was changed."),
        )

    @property
    def _expires(self) -> datetime:
        return self._due(self._terms.expire_after)

    async def _answered_by(self, after: timedelta, event: str) -> bool:
        """Whether it was answered before it is due, which a snooze may put off meanwhile."""
        while True:
            due = self._due(after)
            wait = max(due - workflow.now(), timedelta(0))
            changed = await self._interruptions.wait(
                lambda due=due: self._log.state.approval is not None or self._due(after) != due,  # type: ignore[misc]
                wait,
                f"until {event}",
            )
            if not changed or self._log.state.approval is not None:
                return changed

    def _due(self, after: timedelta) -> datetime:
        assert self.asked is not None  # noqa: S101 - it is open
        return self.asked.since + after + self.asked.put_off

    def check(self, request: DecisionRequest) -> None:
        """Whether `request` answers the open question.

        Raises:
            AlreadyDecidedError, NothingToDecideError, PlanHashStaleError.
        """
        state = self._log.state
        if state.approval is not None:
            raise AlreadyDecidedError(f"{state.approval.by} already decided: {state.approval.decision}")
        if self._plan is None:
            raise NothingToDecideError(f"no plan waits for an answer; the incident is {state.status}")
        if request.plan_hash != self._plan.hash:
            raise PlanHashStaleError(
                f"the answer is for plan {request.plan_hash[:12]}, but plan {self._plan.short_hash} is being asked about"
            )

    async def judge(self, request: DecisionRequest) -> None:
        """Ask policy about the person. Raises FailureError when they may not decide."""
        if self._plan is None:
            return
        await workflow.execute_activity_method(
            PolicyActivities.check_decider,
            DeciderCheck(person=request.by, plan=self._plan, cluster=self._log.state.target.cluster),
            **on(SECURITY, JUDGE, f"May {request.by.via} person {request.by.id} decide?"),
        )

    def record(self, request: DecisionRequest) -> None:
        approval = Approval(
            plan_hash=request.plan_hash, decision=request.decision, by=request.by, reason=request.reason, at=workflow.now()
        )
        self._log.set(approval=approval)
        self._log.note(f"plan.{request.decision}", f"by {request.by}" + (f": {request.reason}" if request.reason else ""))
