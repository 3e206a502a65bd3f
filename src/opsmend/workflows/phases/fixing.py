"""Carrying an approved plan out, seeing whether it helped, and undoing it where it did not.

Once this began it ends with an outcome or with nothing changed, whatever comes between: an agent that gives up, somebody who
stops the incident. What was changed is undone before the locks of its objects are released.
"""

import asyncio
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from opsmend.domain.agent_tasks import ExecutionRequest, VerificationRequest
    from opsmend.domain.alert_book import AlertBook
    from opsmend.domain.approval import Approval
    from opsmend.domain.call import CallReason
    from opsmend.domain.execution import ApprovedPlan, ExecutionRecord, StepStatus
    from opsmend.domain.incident import MOST_ALERTS, Outcome, Patience, Status
    from opsmend.domain.plan import Plan
    from opsmend.domain.ports.artifacts import ArtifactRef
    from opsmend.domain.target import Target
    from opsmend.domain.verification import Baseline, Health, Verification

from opsmend.workflows.phases.crew import Crew
from opsmend.workflows.phases.incident_log import IncidentLog, IncidentOver, root_of
from opsmend.workflows.phases.interruptions import Interruptions, called_off

NOTICES_WITHIN: Final = timedelta(seconds=10)
"""An activity whose run was ended notices with its next heartbeat. Undone before that, its change might come afterwards."""

TELLS_WHO_TOOK_IT_BACK: Final = "a-fix-that-was-taken-back-is-told-though-the-alerts-resolved"
"""Patch: runs that began before it take alerts that resolve on a moment's relief for the end. It can go once no run is older
than 0.2."""

UNDOES_WHAT_GAVE_UP: Final = "what-an-execution-that-gave-up-may-have-done-is-undone"
"""Patch: runs that began before it end at once when the run of Deployment fails. It can go as the other."""


CALLS_OFF: Final = "an-execution-is-called-off-when-somebody-ends-the-incident"
"""Patch: runs that began before it carry a plan out to its end whoever ends the incident meanwhile. It can go as the others."""


class Fixing:
    def __init__(self, log: IncidentLog, book: AlertBook, interruptions: Interruptions, crew: Crew, terms: Patience) -> None:
        self._log = log
        self._book = book
        self._interruptions = interruptions
        self._crew = crew
        self._terms = terms

    async def carry_out(self, plan: Plan, approval: Approval, baseline: Baseline, snapshot: ArtifactRef) -> None:
        """Returns only when the plan was stale and nothing was changed; else the incident has its outcome (IncidentOver)."""
        if self._book.all_resolved:
            raise IncidentOver(Outcome.SELF_RESOLVED, "every alert resolved before anything was changed")
        approved = ApprovedPlan(plan=plan, approval=approval, severity=self._book.severity)
        self._log.enter(Status.EXECUTING, self._book.severity)
        record = await self._execute(approved, snapshot)
        self._log.set(execution=record)
        self._log.note("plan.executed", told(record))
        if record.stale and not record.changed_something:
            return
        await self._end_if_told_to(approved, record, snapshot)
        if not record.complete:
            await self._take_back(approved, record, snapshot, f"the plan could not be carried out ({told(record)})")
        await self._see_whether_it_helped(approved, record, baseline, snapshot)

    async def _see_whether_it_helped(
        self, approved: ApprovedPlan, record: ExecutionRecord, baseline: Baseline, snapshot: ArtifactRef
    ) -> None:
        self._log.enter(Status.VERIFYING, self._book.severity)
        verification = await self._verify(approved, record, baseline)
        if verification is not None and verification.health is Health.HEALTHY:
            raise IncidentOver(Outcome.REMEDIATED, f"{approved.plan.summary}: {verification.summary}")
        await self._end_if_told_to(approved, record, snapshot)
        why = verification.summary if verification else "verification failed"
        taken_back = verification is not None and verification.reverted
        why = f"the fix {'was taken back' if taken_back else 'did not help'} ({why})"
        await self._take_back(approved, record, snapshot, why)

    async def _end_if_told_to(self, approved: ApprovedPlan, record: ExecutionRecord, snapshot: ArtifactRef) -> None:
        """Somebody who takes the incident over sees to the change as well; for whoever stops it, it is undone."""
        if not self._interruptions.to_end:
            return
        if self._interruptions.stands_back:
            what = "the change" if record.complete else "whatever was changed by then"
            raise IncidentOver(
                Outcome.ESCALATED, f"{self._interruptions.to_end}; {what} stays as it is ({told(record)})", known=True
            )
        await self._take_back(approved, record, snapshot, self._interruptions.to_end)

    async def _execute(self, approved: ApprovedPlan, snapshot: ArtifactRef) -> ExecutionRecord:
        """No step begins any more once somebody ends the incident. One that is being made may still come through."""
        executing = asyncio.create_task(self._deploy(approved, snapshot, "carry out"))
        await workflow.wait_condition(lambda: executing.done() or bool(self._interruptions.to_end))
        if not executing.done() and workflow.patched(CALLS_OFF):
            await called_off(executing)
            return await self._gave_up(approved, self._interruptions.to_end)
        try:
            return await executing
        except FailureError as failure:
            if not workflow.patched(UNDOES_WHAT_GAVE_UP):
                raise
            return await self._gave_up(approved, root_of(failure))

    async def _gave_up(self, approved: ApprovedPlan, why: str) -> ExecutionRecord:
        await workflow.sleep(NOTICES_WITHIN, summary="until what the run of Deployment had begun has ended as well")
        return ExecutionRecord.gave_up(approved, why, workflow.now())

    async def _take_back(self, approved: ApprovedPlan, record: ExecutionRecord, snapshot: ArtifactRef, why: str) -> None:
        """Undo, unless every alert has resolved meanwhile and nothing is worse than before. Always ends the incident."""
        verification = self._log.state.verification
        worse = verification is not None and verification.worse_than_baseline
        if self._book.all_resolved and not worse:
            if self._taken_back_by_others(record) and workflow.patched(TELLS_WHO_TOOK_IT_BACK):
                raise IncidentOver(Outcome.ESCALATED, f"{why}; every alert resolved meanwhile, so nothing was undone")
            raise IncidentOver(Outcome.SELF_RESOLVED, f"every alert resolved, so nothing was undone, although {why}")
        await self._undo(approved, record, snapshot, why)

    async def _verify(self, approved: ApprovedPlan, record: ExecutionRecord, baseline: Baseline) -> Verification | None:
        """None where it failed or was called off."""
        done = {step.step_id for step in record.steps if step.changed_something}
        request = VerificationRequest(
            target=self._log.state.target,
            alerts=self._book.firing[:MOST_ALERTS],
            baseline=baseline,
            interval=self._terms.verify_interval,
            checks=self._terms.verify_checks,
            deadline=self._terms.verify_deadline,
            changes=tuple(approved.applied(step) for step in approved.steps if step.id in done),
            beside=self._beside(),
        )
        looking = asyncio.create_task(self._crew.verify(request))
        await workflow.wait_condition(lambda: looking.done() or bool(self._interruptions.to_end))
        if not looking.done():
            await called_off(looking)
            self._log.note("verification.stopped", self._interruptions.to_end)
            return None
        try:
            verification = looking.result().verification
        except FailureError as failure:
            self._log.note("verification.failed", root_of(failure))
            return None
        if verification.alert_recovered is None and self._book.all_resolved:
            verification = verification.model_copy(update={"alert_recovered": True})
        self._log.set(verification=verification)
        self._log.note("verification.done", f"{verification.health}: {verification.summary}")
        return verification

    def _beside(self) -> tuple[Target, ...]:
        diagnosis, cluster = self._log.state.diagnosis, self._log.state.target.cluster
        return tuple(Target.of(cluster, ref) for ref in diagnosis.beside) if diagnosis else ()

    async def _undo(self, approved: ApprovedPlan, record: ExecutionRecord, snapshot: ArtifactRef, why: str) -> None:
        """Take back in reverse order whatever was begun and is still ours. Always ends the incident."""
        if not record.compensations:
            raise IncidentOver(Outcome.ESCALATED, f"{why}; nothing was changed", look_again=record.out_of_reach)
        others = self._taken_back_by_others(record)
        ours = tuple(step for step in record.compensations if step not in others)
        if not ours:
            raise IncidentOver(Outcome.ESCALATED, f"{why}; nothing of ours is left to undo, and it was not tried again")
        self._log.note("undo.begun", why)
        undo = await self._undone(approved.model_copy(update={"undo": ours}), snapshot)
        self._log.set(undo=undo)
        self._log.note("undo.done", told(undo))
        if undo.complete and others:
            raise IncidentOver(Outcome.ESCALATED, f"{why}; the rest of our changes was undone, and it was not tried again")
        if undo.complete and undo.changed_something:
            told_to = bool(self._interruptions.to_end)
            look = "" if told_to else " and a person has to look"
            raise IncidentOver(Outcome.ROLLED_BACK, f"{why}; every change was undone{look}", known=told_to)
        if undo.complete:
            raise IncidentOver(Outcome.ESCALATED, f"{why}; there was nothing of ours left to undo")
        raise IncidentOver(
            Outcome.ESCALATED,
            f"{why}, AND IT COULD NOT BE UNDONE ({told(undo)}): a person must look now",
            reason=CallReason.UNDO_FAILED,
        )

    async def _undone(self, undoing: ApprovedPlan, snapshot: ArtifactRef) -> ExecutionRecord:
        try:
            return await self._deploy(undoing, snapshot, "undo")
        except FailureError as failure:
            return ExecutionRecord.gave_up(undoing, root_of(failure), workflow.now())

    def _taken_back_by_others(self, record: ExecutionRecord) -> set[str]:
        """Steps that are not ours to undo any more: whoever took them back keeps the object otherwise."""
        verification = self._log.state.verification
        at_once = {step.step_id for step in record.steps if step.status is StepStatus.REVERTED}
        return at_once | set(verification.reverted if verification else ())

    async def _deploy(self, approved: ApprovedPlan, snapshot: ArtifactRef, what: str) -> ExecutionRecord:
        request = ExecutionRequest(
            approved=approved,
            cluster=self._log.state.target.cluster,
            snapshot=snapshot,
            verified_next=not approved.undo,
        )
        execution = await self._crew.deploy(request, what)
        for step in execution.record.steps:
            self._log.note(f"step.{step.status}", f"{step.step_id} {step.action}" + (f": {step.detail}" if step.detail else ""))
        return execution.record


def told(record: ExecutionRecord) -> str:
    return ", ".join(f"{s.step_id} {s.action} {s.status}" + (f" ({s.detail})" if s.detail else "") for s in record.steps)
