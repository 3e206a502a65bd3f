"""From a diagnosis to a plan that passed Security and policy."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from opsmend.domain.agent_tasks import PlanningRequest, ReviewRequest
    from opsmend.domain.alert_book import AlertBook
    from opsmend.domain.diagnosis import Diagnosis
    from opsmend.domain.incident import Outcome
    from opsmend.domain.plan import Plan
    from opsmend.domain.ports.artifacts import ArtifactRef
    from opsmend.domain.verdict import Autonomy, SecurityVerdict

from opsmend.workflows import search_attributes
from opsmend.workflows.phases.crew import Crew
from opsmend.workflows.phases.incident_log import IncidentLog, IncidentOver


class Proposing:
    """Each method raises IncidentOver where opsmend may or can do nothing."""

    def __init__(self, log: IncidentLog, book: AlertBook, crew: Crew) -> None:
        self._log = log
        self._book = book
        self._crew = crew

    async def plan(self, diagnosis: Diagnosis, snapshot: ArtifactRef, attempt: int) -> Plan:
        request = PlanningRequest(
            incident_id=self._log.state.id,
            run_id=self._log.state.run_id,
            attempt=attempt,
            target=self._log.state.target,
            diagnosis=diagnosis,
            snapshot=snapshot,
        )
        planning = await self._crew.plan(request)
        if planning.plan is None:
            raise IncidentOver(Outcome.ESCALATED, f"{diagnosis.summary}. No plan: {planning.reason}")
        self._log.set(plan=planning.plan, verdict=None, approval=None, execution=None)
        self._log.note("plan.proposed", f"{planning.plan.summary} (plan {planning.plan.short_hash})")
        return planning.plan

    async def review(self, plan: Plan, snapshot: ArtifactRef) -> SecurityVerdict:
        request = ReviewRequest(
            plan=plan, cluster=self._log.state.target.cluster, severity=self._book.severity, snapshot=snapshot
        )
        verdict = (await self._crew.review(request)).verdict
        self._log.set(verdict=verdict)
        workflow.upsert_search_attributes([search_attributes.AUTONOMY.value_set(verdict.policy.autonomy.value)])
        policies = ", ".join(verdict.policy.policies)
        passed = "passed" if verdict.passed else "blocked"
        self._log.note("plan.reviewed", f"{passed}, policy says {verdict.policy.autonomy} ({policies})")
        if not verdict.passed:
            blocks = "; ".join(f.text for f in verdict.findings if f.severity == "block")
            raise IncidentOver(Outcome.ESCALATED, f"Security refused the plan: {blocks}")
        if verdict.policy.autonomy in (Autonomy.OBSERVE, Autonomy.SUGGEST):
            raise IncidentOver(
                Outcome.ESCALATED, f"policy allows no more than to {verdict.policy.autonomy} here ({policies}): {plan.summary}"
            )
        return verdict
