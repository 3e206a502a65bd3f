"""The agents at work for one incident: a child workflow for each run, what it used entered into the incident's bill."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final, TypeVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from opsmend.domain.agent_tasks import (
        Execution,
        ExecutionRequest,
        Investigation,
        InvestigationRequest,
        Planning,
        PlanningRequest,
        Review,
        ReviewRequest,
        RunStopped,
        VerificationRequest,
        Verified,
    )
    from opsmend.domain.alert_book import AlertBook
    from opsmend.domain.budget import Budget, Usage
    from opsmend.domain.call import CallReason
    from opsmend.domain.call_ledger import CallLedger
    from opsmend.domain.incident import Outcome, Patience

from opsmend.workflows.agent_runs import (
    ArchitectPlanning,
    DeploymentExecution,
    SecurityReview,
    SreInvestigation,
    SreVerification,
)
from opsmend.workflows.phases.incident_log import IncidentLog, IncidentOver
from opsmend.workflows.phases.interruptions import Interruptions
from opsmend.workflows.priority import of_begun

Request = TypeVar("Request")
Result = TypeVar("Result", Investigation, Planning, Review, Execution, Verified)

_LONGER_THAN_A_VERIFICATION: Final = timedelta(hours=2)
"""What an agent's run may take besides looking at a fix: its activities are retried for half an hour each."""


class Crew:
    """Each method raises FailureError when the run failed, and those before a change IncidentOver when the budget is spent.

    `runs` says how often each agent was at work.
    """

    def __init__(
        self,
        log: IncidentLog,
        book: AlertBook,
        interruptions: Interruptions,
        budget: Budget,
        terms: Patience,
        runs: Mapping[str, int],
    ) -> None:
        self._log = log
        self._book = book
        self._interruptions = interruptions
        self._budget = budget
        self._timeout = terms.verify_deadline + _LONGER_THAN_A_VERIFICATION
        self.runs = dict(runs)

    async def investigate(self, request: InvestigationRequest) -> Investigation:
        found = await self._run("sre", SreInvestigation.run, request, f"investigate {request.target}")
        self._must_afford()
        return found

    async def plan(self, request: PlanningRequest) -> Planning:
        planning = await self._run("architect", ArchitectPlanning.run, request, f"plan for {request.diagnosis.category}")
        self._must_afford()
        return planning

    async def review(self, request: ReviewRequest) -> Review:
        review = await self._run("security", SecurityReview.run, request, f"review plan {request.plan.short_hash}")
        self._must_afford()
        return review

    async def deploy(self, request: ExecutionRequest, what: str) -> Execution:
        """A change that was begun is always seen through, whatever it costs."""
        return await self._run(
            "deployment", DeploymentExecution.run, request, f"{what} plan {request.approved.plan.short_hash}"
        )

    async def verify(self, request: VerificationRequest) -> Verified:
        """As `deploy`."""
        return await self._run("sre", SreVerification.run, request, f"verify {request.target}")

    def stopped(self, run: RunStopped) -> None:
        """A run ended without a result, and told what it had used."""
        self._bill(run.agent, run.usage, run.calls)

    async def _run(
        self, agent: str, run: Callable[[Any, Request], Awaitable[Result]], request: Request, summary: str
    ) -> Result:
        self.runs[agent] = number = self.runs.get(agent, 0) + 1
        self._interruptions.at_work += 1
        try:
            result = await workflow.execute_child_workflow(
                run,
                request,
                id=f"{self._log.state.id}:{agent}:{number}",
                static_summary=summary,
                execution_timeout=self._timeout,
                priority=of_begun(self._book.severity),
            )
        finally:
            self._interruptions.at_work -= 1
        self._bill(agent, result.usage, result.calls)
        return result

    @property
    def overspent(self) -> str | None:
        """The limit that is passed, as a sentence."""
        return self._budget.exceeded_by(self._log.state.usage)

    def _must_afford(self) -> None:
        if over := self.overspent:
            raise IncidentOver(Outcome.ESCALATED, f"the budget of this incident is spent: {over}", reason=CallReason.BUDGET)

    def _bill(self, agent: str, usage: Usage, calls: CallLedger) -> None:
        self._log.bill(agent, f"{agent}:{self.runs[agent]}", usage, calls)
