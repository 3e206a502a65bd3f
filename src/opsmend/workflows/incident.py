"""The Incident workflow: one problem of one target, from its first alert to its post-mortem."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, Final, TypeVar

from temporalio import workflow
from temporalio.common import RawValue, SearchAttributeUpdate
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from opsmend.activities.incidents import IncidentActivities, PostMortemRequest, Published, PublishRequest
    from opsmend.agents.patience import NOTIFY, THINK, on
    from opsmend.agents.queues import CONNECTORS
    from opsmend.domain.agent_tasks import (
        ExecutionRequest,
        InvestigationRequest,
        PlanningRequest,
        ReviewRequest,
        RunStopped,
        VerificationRequest,
    )
    from opsmend.domain.alert import Alert
    from opsmend.domain.alert_book import AlertBook
    from opsmend.domain.approval import Answer, Approval, DecisionRecorded, DecisionRequest, Person
    from opsmend.domain.budget import Usage
    from opsmend.domain.diagnosis import Category, Diagnosis
    from opsmend.domain.execution import ApprovedPlan, ExecutionRecord, StepStatus
    from opsmend.domain.incident import (
        AlertsReceived,
        IncidentClosed,
        IncidentOpened,
        IncidentState,
        Outcome,
        Status,
    )
    from opsmend.domain.plan import Plan
    from opsmend.domain.ports.artifacts import ArtifactRef
    from opsmend.domain.ports.chat import MessageRef
    from opsmend.domain.state_size import fitting
    from opsmend.domain.target import Kind, Target
    from opsmend.domain.verdict import Autonomy, SecurityVerdict
    from opsmend.domain.verification import Baseline, Health, Verification
    from opsmend.errors import OpsmendError, bounded

from opsmend.workflows import search_attributes
from opsmend.workflows.agent_runs import RUN_STOPPED, calls_in
from opsmend.workflows.crew import Crew
from opsmend.workflows.guests import Guests
from opsmend.workflows.incident_log import IncidentLog, IncidentOver, root_of
from opsmend.workflows.incoming import read
from opsmend.workflows.keep_last_good import keep_namespace
from opsmend.workflows.question import Question
from opsmend.workflows.sitting_out import SittingOut
from opsmend.workflows.target_lock import TargetLockedError, TargetLocks, locked

ALERTS_RECEIVED: Final = "alerts_received"
"""The signal that brings alerts, with an AlertsReceived."""

MOST_PLANS: Final = 3
"""Plans of one run: a world that has gone stale under three of them changes too fast for us."""

LISTENING_AFTER: Final = frozenset({Outcome.ESCALATED, Outcome.NO_ACTION, Outcome.ROLLED_BACK})
"""Outcomes that leave the alert firing: the run stays to take its resends, so that they open nothing new."""

MOST_ALERTS: Final = 20
"""Different alerts of one target that are shown and looked into; all are counted and all must resolve."""

QUIET_OF_GUESTS: Final = timedelta(hours=1)
"""When the firing of a node's incident counts as over that knows of it only by what runs there: those look every half hour."""

MOST_TIMELINE_ALERTS: Final = 100
"""Timeline entries after which further alerts are only counted: a storm must not push the story out of the state."""

MAY_FINISH: Final = "an-agent-that-is-called-off-may-finish"
"""Patch: runs that began before it call an agent off at once. It can go once no run is older than 0.2."""

ASKS_ALONE: Final = "one-question-about-an-object-at-a-time"
"""Patch: runs that began before it hold the locks of their objects only while they change them. It can go as the other."""

TELLS_WHO_TOOK_IT_BACK: Final = "a-fix-that-was-taken-back-is-told-though-the-alerts-resolved"
"""Patch: runs that began before it take alerts that resolve on a moment's relief for the end. It can go as the others."""

Result = TypeVar("Result")


@workflow.defn(name="Incident")
class IncidentWorkflow:
    """One target's problem, first alert to post-mortem. Waits on: alerts, a decision, the target lock, timers."""

    @workflow.init
    def __init__(self, opened: IncidentOpened) -> None:
        self._terms = opened.patience
        self._book = AlertBook(opened.target, opened.settled)
        info = workflow.info()
        state = IncidentState(id=info.workflow_id, run_id=info.run_id, target=opened.target, opened_at=workflow.now())
        self._log = IncidentLog(state)
        self._crew = Crew(self._log, opened.budget, opened.patience)
        self._question = Question(self._log, opened.patience)
        self._sitting_out = SittingOut(self._log, self._book)
        self._guests = Guests(self._log, self._book)
        self._message: MessageRef | None = None
        self._published = 0
        self._concluded = False
        self._watched = False
        self._snapshot: ArtifactRef | None = None
        self._take(opened.carried)

    @workflow.run
    async def run(self, opened: IncidentOpened) -> IncidentClosed:
        await workflow.wait_condition(lambda: self._book.received > 0)
        telling = asyncio.create_task(self._keep_people_told())
        try:
            await self._mend(opened.target)
        except IncidentOver as over:
            await self._close(over.outcome, over.why)
        except FailureError as failure:
            if is_cancelled_exception(failure):
                raise
            await self._close(Outcome.ESCALATED, f"could not go on: {root_of(failure)}")
        remembering = asyncio.create_task(self._remember())
        keeping = asyncio.create_task(self._keep_last_good())
        await self._take_resends()
        await self._guests.recover()
        self._concluded = True
        await asyncio.gather(telling, remembering, keeping)
        await workflow.wait_condition(workflow.all_handlers_finished)
        await self._guests.hand_back()
        if self._book.unsettled:
            # A new outbreak of the same target is a new run of the same id.
            carried = (*self._book.unsettled, *self._book.guests)
            workflow.continue_as_new(opened.model_copy(update={"settled": self._book.settled, "carried": carried}))
        assert self._log.state.outcome is not None  # noqa: S101 - _close has set it
        return IncidentClosed(outcome=self._log.state.outcome, summary=self._log.state.closing)

    # ── the phases, in the order they happen; each ends by returning or by raising IncidentOver ──────────────────────────

    async def _mend(self, target: Target) -> None:
        # Set here and not by whoever starts the run: attributes of a start would cost every webhook a third of a call.
        self._enter(
            Status.INVESTIGATING,
            search_attributes.TARGET.value_set(str(target)[:200]),
            search_attributes.SOURCE.value_set(self._log.state.alerts[0].source),
            search_attributes.OUTCOME.value_unset(),  # a run that continues another one inherits its attributes
        )
        await self._gather_siblings()
        if target.kind is Kind.GROUP:
            raise IncidentOver(
                Outcome.ESCALATED, "no target could be derived from the alert's labels, so there is nothing to look at"
            )
        for attempt in range(1, MOST_PLANS + 1):
            soon = self._terms.finish_within
            diagnosis, baseline = await self._find_out(target)
            plan = await self._unless_resolved(self._plan(target, diagnosis, attempt), finishes_in=soon)
            verdict = await self._unless_resolved(self._review(plan), finishes_in=soon)
            try:
                if workflow.patched(ASKS_ALONE):
                    await self._have_it_done_alone(plan, verdict, baseline)
                else:
                    approval = await self._unless_resolved(self._leave_for(plan, verdict))
                    async with locked(self._objects_of(plan), self._terms.lock_deadline):
                        await self._carry_out(plan, approval, baseline)
            except TargetLockedError as e:
                raise IncidentOver(Outcome.ESCALATED, str(e)) from None
            self._log.note("plan.stale", "the world changed under the plan before anything was done; looking again")
            self._enter(Status.INVESTIGATING)
        raise IncidentOver(Outcome.ESCALATED, f"the world changed under {MOST_PLANS} plans in a row")

    async def _gather_siblings(self) -> None:
        await self._unless_resolved(
            workflow.sleep(self._terms.intake_window, summary="waiting for alerts of the same outbreak")
        )

    async def _find_out(self, target: Target) -> tuple[Diagnosis, Baseline]:
        """What is wrong that nobody else sees to."""
        while True:
            found = await self._unless_resolved(self._investigate(target), finishes_in=self._terms.finish_within)
            diagnosis, baseline = found
            if diagnosis.category is Category.MAINTENANCE:
                await self._sitting_out.window(diagnosis)
            elif node := self._sitting_out.lost_node(diagnosis):
                await self._sitting_out.node(node, diagnosis)
            elif diagnosis.category is Category.UNKNOWN:
                await self._sitting_out.motion(diagnosis, baseline)
            else:
                return found

    async def _investigate(self, target: Target) -> tuple[Diagnosis, Baseline]:
        request = InvestigationRequest(target=target, alerts=self._log.state.alerts)
        found = await self._crew.investigate(request)
        diagnosis = found.diagnosis
        self._watched = found.watched
        self._snapshot = found.snapshot
        self._log.set(diagnosis=diagnosis)
        self._log.note("diagnosis.made", f"{diagnosis.summary} (confidence {diagnosis.confidence:.0%}, {diagnosis.tier})")
        workflow.upsert_search_attributes([search_attributes.TIER.value_set(diagnosis.tier.value)])
        if diagnosis.recalled:
            best = diagnosis.recalled[0]
            self._log.note("memory.recalled", f"{best.incident_id} run {best.run_id}: {best.summary} → {best.remedy}")
        if diagnosis.category is Category.HEALTHY:
            raise IncidentOver(Outcome.NO_ACTION, diagnosis.summary)
        return diagnosis, found.baseline

    async def _plan(self, target: Target, diagnosis: Diagnosis, attempt: int) -> Plan:
        assert self._snapshot is not None  # noqa: S101 - _investigate has set it
        request = PlanningRequest(
            incident_id=self._log.state.id,
            run_id=self._log.state.run_id,
            attempt=attempt,
            target=target,
            diagnosis=diagnosis,
            snapshot=self._snapshot,
        )
        planning = await self._crew.plan(request)
        if planning.plan is None:
            raise IncidentOver(Outcome.ESCALATED, f"{diagnosis.summary}. No plan: {planning.reason}")
        self._log.set(plan=planning.plan, verdict=None, approval=None, execution=None)
        self._log.note("plan.proposed", f"{planning.plan.summary} (plan {planning.plan.short_hash})")
        return planning.plan

    async def _review(self, plan: Plan) -> SecurityVerdict:
        request = ReviewRequest(
            plan=plan, cluster=self._log.state.target.cluster, severity=self._book.severity, snapshot=self._snapshot
        )
        verdict = (await self._crew.review(request)).verdict
        self._log.set(verdict=verdict)
        workflow.upsert_search_attributes([search_attributes.AUTONOMY.value_set(verdict.policy.autonomy.value)])
        policies = ", ".join(verdict.policy.policies)
        self._log.note("plan.reviewed", f"passed={verdict.passed}, policy says {verdict.policy.autonomy} ({policies})")
        if not verdict.passed:
            blocks = "; ".join(f.text for f in verdict.findings if f.severity == "block")
            raise IncidentOver(Outcome.ESCALATED, f"Security refused the plan: {blocks}")
        if verdict.policy.autonomy in (Autonomy.OBSERVE, Autonomy.SUGGEST):
            raise IncidentOver(
                Outcome.ESCALATED, f"policy allows no more than to {verdict.policy.autonomy} here ({policies}): {plan.summary}"
            )
        return verdict

    async def _leave_for(self, plan: Plan, verdict: SecurityVerdict) -> Approval:
        if verdict.policy.autonomy is Autonomy.AUTO:
            by = Person(via="policy", id=", ".join(verdict.policy.policies))
            approval = Approval(plan_hash=plan.hash, decision=Answer.APPROVE, by=by, at=workflow.now())
            self._log.set(approval=approval)
            self._log.note("plan.approved", f"by policy {by.id}")
            return approval
        approval = await self._ask(plan)
        if approval.decision is Answer.REJECT:
            raise IncidentOver(
                Outcome.ESCALATED, f"{approval.by} rejected the plan" + (f": {approval.reason}" if approval.reason else "")
            )
        return approval

    async def _ask(self, plan: Plan) -> Approval:
        self._question.open(plan)
        self._enter(Status.AWAITING_APPROVAL)
        self._log.note("approval.asked", f"for plan {plan.short_hash}")
        return await self._question.answered()

    async def _have_it_done_alone(self, plan: Plan, verdict: SecurityVerdict, baseline: Baseline) -> None:
        """Nobody else asks about the plan's objects or changes them meanwhile. Returns only when nothing was changed.

        Who had to wait for another incident's question looks again: the answer may have mended this one too.
        """
        locks = TargetLocks(self._objects_of(plan))
        try:
            waited = await self._unless_resolved(
                locks.acquire(self._terms.expire_after + self._terms.lock_deadline, self._in_line)
            )
            if not waited:
                approval = await self._unless_resolved(self._leave_for(plan, verdict))
                await self._carry_out(plan, approval, baseline)
        finally:
            await locks.release()

    def _in_line(self, held: str) -> None:
        self._log.note("question.waiting", f"another incident asks about {held} or changes it (see workflow lock:{held})")
        self._enter(Status.INVESTIGATING)

    def _objects_of(self, plan: Plan) -> list[str]:
        return [f"{self._log.state.target.cluster}:{step.action.target}" for step in plan.steps]

    async def _carry_out(self, plan: Plan, approval: Approval, baseline: Baseline) -> None:
        """Execute, verify, undo if it did not help. Returns only when the plan was stale and nothing was changed."""
        if self._book.all_resolved:
            raise IncidentOver(Outcome.SELF_RESOLVED, "every alert resolved before anything was changed")
        approved = ApprovedPlan(plan=plan, approval=approval, severity=self._book.severity)
        await self._execute_and_verify(approved, baseline)

    async def _execute_and_verify(self, approved: ApprovedPlan, baseline: Baseline) -> None:
        self._enter(Status.EXECUTING)
        record = await self._deploy(approved, "carry out")
        self._log.set(execution=record)
        self._log.note("plan.executed", _told(record))
        if record.stale and not record.changed_something:
            return
        if not record.complete:
            await self._take_back(approved, record, f"the plan could not be carried out ({_told(record)})")
        self._enter(Status.VERIFYING)
        verification = await self._verify(approved, record, baseline)
        if verification is not None and verification.health is Health.HEALTHY:
            raise IncidentOver(Outcome.REMEDIATED, f"{approved.plan.summary}: {verification.summary}")
        why = verification.summary if verification else "verification failed"
        taken_back = verification is not None and verification.reverted
        await self._take_back(approved, record, f"the fix {'was taken back' if taken_back else 'did not help'} ({why})")

    async def _take_back(self, approved: ApprovedPlan, record: ExecutionRecord, why: str) -> None:
        """Undo, unless every alert has resolved meanwhile and nothing is worse than before. Always ends the incident."""
        verification = self._log.state.verification
        worse = verification is not None and verification.worse_than_baseline
        if self._book.all_resolved and not worse:
            if self._taken_back_by_others(record) and workflow.patched(TELLS_WHO_TOOK_IT_BACK):
                raise IncidentOver(Outcome.ESCALATED, f"{why}; every alert resolved meanwhile, so nothing was undone")
            raise IncidentOver(Outcome.SELF_RESOLVED, f"every alert resolved, so nothing was undone, although {why}")
        await self._undo(approved, record, why)

    async def _verify(self, approved: ApprovedPlan, record: ExecutionRecord, baseline: Baseline) -> Verification | None:
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
        try:
            verified = await self._crew.verify(request)
        except FailureError as failure:
            if is_cancelled_exception(failure):
                raise
            self._log.note("verification.failed", root_of(failure))
            return None
        verification = verified.verification
        if verification.alert_recovered is None and self._book.all_resolved:
            verification = verification.model_copy(update={"alert_recovered": True})
        self._log.set(verification=verification)
        self._log.note("verification.done", f"{verification.health}: {verification.summary}")
        return verification

    def _beside(self) -> tuple[Target, ...]:
        diagnosis, cluster = self._log.state.diagnosis, self._log.state.target.cluster
        return tuple(Target.of(cluster, ref) for ref in diagnosis.beside) if diagnosis else ()

    async def _undo(self, approved: ApprovedPlan, record: ExecutionRecord, why: str) -> None:
        """Take back in reverse order whatever was begun and is still ours. Always ends the incident."""
        if not record.compensations:
            raise IncidentOver(Outcome.ESCALATED, f"{why}; nothing was changed")
        others = self._taken_back_by_others(record)
        ours = tuple(step for step in record.compensations if step not in others)
        if not ours:
            raise IncidentOver(Outcome.ESCALATED, f"{why}; nothing of ours is left to undo, and it was not tried again")
        self._log.note("undo.begun", why)
        undo = await self._deploy(approved.model_copy(update={"undo": ours}), "undo")
        self._log.set(undo=undo)
        self._log.note("undo.done", _told(undo))
        if undo.complete and others:
            raise IncidentOver(Outcome.ESCALATED, f"{why}; the rest of our changes was undone, and it was not tried again")
        if undo.complete and undo.changed_something:
            raise IncidentOver(Outcome.ROLLED_BACK, f"{why}; every change was undone and a person has to look")
        if undo.complete:
            raise IncidentOver(Outcome.ESCALATED, f"{why}; there was nothing of ours left to undo")
        raise IncidentOver(Outcome.ESCALATED, f"{why}, AND IT COULD NOT BE UNDONE ({_told(undo)}): a person must look now")

    def _taken_back_by_others(self, record: ExecutionRecord) -> set[str]:
        """Steps that are not ours to undo any more: whoever took them back keeps the object otherwise."""
        verification = self._log.state.verification
        at_once = {step.step_id for step in record.steps if step.status is StepStatus.REVERTED}
        return at_once | set(verification.reverted if verification else ())

    async def _deploy(self, approved: ApprovedPlan, what: str) -> ExecutionRecord:
        request = ExecutionRequest(
            approved=approved,
            cluster=self._log.state.target.cluster,
            snapshot=self._snapshot,
            verified_next=not approved.undo,
        )
        execution = await self._crew.deploy(request, what)
        for step in execution.record.steps:
            self._log.note(f"step.{step.status}", f"{step.step_id} {step.action}" + (f": {step.detail}" if step.detail else ""))
        return execution.record

    async def _close(self, outcome: Outcome, why: str) -> None:
        self._question.withdraw()
        self._book.settle()
        self._log.set(outcome=outcome, closing=why, closed_at=workflow.now())
        self._log.note("incident.closed", f"{outcome}: {why}")
        try:
            postmortem = await workflow.execute_activity_method(
                IncidentActivities.write_postmortem,
                PostMortemRequest(incident_id=self._log.state.id, run_id=self._log.state.run_id, state=self._log.state),
                **on(CONNECTORS, THINK, "Write the post-mortem"),
            )
        except FailureError as failure:
            self._log.note("postmortem.failed", root_of(failure))
        else:
            self._log.set(postmortem=postmortem)
        self._enter(Status.CLOSED)

    async def _remember(self) -> None:
        if self._log.state.postmortem is None:
            return
        try:
            await workflow.execute_activity_method(
                IncidentActivities.remember_postmortem,
                self._log.state.postmortem,
                **on(CONNECTORS, NOTIFY, "Keep the post-mortem for the next incident"),
            )
        except FailureError as failure:
            self._log.note("memory.failed", f"the post-mortem is not in memory: {root_of(failure)}")
        else:
            self._log.note("memory.kept", "the next incident like this one will recall it")

    async def _keep_last_good(self) -> None:
        """What was just proven healthy is worth keeping at once. A run that began in an older version is not watched."""
        if not self._watched or self._log.state.outcome is not Outcome.REMEDIATED:
            return
        target = self._log.state.target
        try:
            kept = await keep_namespace(target.cluster, target.namespace)
        except FailureError as failure:
            asked = calls_in(failure)
            self._log.note("last_good.failed", f"the configuration of {target.namespace} was not kept: {root_of(failure)}")
        else:
            asked = kept.calls
            self._log.note(
                "last_good.kept", f"{kept.good} of {kept.config_maps} ConfigMaps of {target.namespace} are as seen good"
            )
        self._log.bill("sre", "keeping the last good", Usage.of_calls(asked), asked)

    async def _take_resends(self) -> None:
        """Stay while the firing that this run ended on lasts, so that its resends open nothing new."""
        if self._log.state.outcome not in LISTENING_AFTER:
            return
        while not self._book.all_resolved and not self._book.unsettled:
            if self._book.has_guests and not self._guests.blame_it:
                await self._guests.hand_back()
            elif not await self._another_alert():
                return

    async def _another_alert(self) -> bool:
        """Whether any alert came before the firing counts as over."""
        before = self._book.received
        try:
            await workflow.wait_condition(
                lambda: self._book.received > before,
                timeout=min(self._terms.quiet_after, QUIET_OF_GUESTS) if self._book.only_guests else self._terms.quiet_after,
                timeout_summary="until the firing counts as over",
            )
        except TimeoutError:
            return False
        return True

    # ── alerts, decisions, questions ──────────────────────────────────────────────────────────────────────────────

    @workflow.signal(name=ALERTS_RECEIVED)
    def alerts_received(self, signal: RawValue) -> None:
        received = read(signal, AlertsReceived)
        self._take(received.alerts, watched=received.watched)
        self._tell_left_out(received.left_out)

    @workflow.update
    async def decide(self, request: DecisionRequest) -> DecisionRecorded:
        """Answer the open question. Refused with the name of one of our errors as the failure's type."""
        await self._question.judge(request)
        try:
            self._question.check(request)  # the judging took a while: somebody else may have answered meanwhile
        except OpsmendError as e:
            raise ApplicationError(str(e), type=type(e).__name__, non_retryable=True) from e
        self._question.record(request)
        return DecisionRecorded(incident_id=self._log.state.id, plan_hash=request.plan_hash, decision=request.decision)

    @decide.validator
    def _validate_decision(self, request: DecisionRequest) -> None:
        try:
            self._question.check(request)
        except OpsmendError as e:
            raise ApplicationError(str(e), type=type(e).__name__, non_retryable=True) from e

    @workflow.signal(name="decide_by_signal")
    async def decide_by_signal(self, signal: RawValue) -> None:
        """The same by signal, for the Temporal UI and CLI. A signal has no answer, so a refusal goes to the timeline.

        Nobody vouches for the name in a signal, so whatever channel it claims, it counts as one that came by Temporal.
        """
        try:
            request = read(signal, DecisionRequest)
        except ValidationError as e:
            self._log.note("decision.refused", f"a signal that is no answer: {bounded(str(e))}")
            return
        request = request.model_copy(update={"by": Person(via="temporal", id=request.by.id, name=request.by.name)})
        try:
            self._question.check(request)
            await self._question.judge(request)
            self._question.check(request)
        except OpsmendError as e:
            self._log.note("decision.refused", f"{request.by}: {e}")
        except FailureError as e:
            self._log.note("decision.refused", f"{request.by}: {root_of(e)}")
        else:
            self._question.record(request)

    @workflow.signal(name=RUN_STOPPED)
    def run_stopped(self, signal: RawValue) -> None:
        self._crew.stopped(read(signal, RunStopped))

    @workflow.query(name="state")
    def state(self) -> IncidentState:
        return fitting(self._log.state)

    def _take(self, alerts: tuple[Alert, ...], *, watched: bool = False) -> None:
        if not alerts:
            return
        for alert in alerts:
            if self._book.take(alert, watched=watched) and len(self._log.state.timeline) < MOST_TIMELINE_ALERTS:
                self._log.note(f"alert.{alert.status}", f"{alert.name} ({alert.source}): {bounded(alert.summary)}")
        self._log.set(alerts=self._book.alerts[:MOST_ALERTS], alerts_received=self._book.received)

    def _tell_left_out(self, count: int) -> None:
        """Once for each number: resends of a group leave out the same alerts."""
        if count > self._log.state.alerts_left_out:
            self._log.set(alerts_left_out=count)
            self._log.note("alerts.left_out", f"the sender left out {count} alerts of this group; they may be of other targets")

    # ── telling people: one task publishes the newest state whenever something changed ────────────────────────────

    async def _keep_people_told(self) -> None:
        while True:
            await workflow.wait_condition(lambda: self._log.revision > self._published or self._concluded)
            if self._log.revision <= self._published:
                return
            revision, attention, self._log.attention = self._log.revision, self._log.attention, ""
            try:
                published: Published = await workflow.execute_activity_method(
                    IncidentActivities.publish_incident,
                    PublishRequest(
                        incident_id=self._log.state.id,
                        run_id=self._log.state.run_id,
                        state=self._log.state,
                        message=self._message,
                        attention=attention,
                    ),
                    **on(CONNECTORS, NOTIFY, f"Tell people: {self._log.state.status}"),
                )
            except FailureError as failure:
                self._log.note("chat.failed", root_of(failure))
            else:
                self._message = published.message
            self._published = revision

    # ── bookkeeping ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _unless_resolved(self, work: Coroutine[Any, Any, Result], *, finishes_in: timedelta | None = None) -> Result:
        """Do `work`, but end well as soon as every alert has resolved; used only while nothing was changed yet.

        What takes only a moment is not called off before it had that moment.
        """
        task = asyncio.create_task(work)
        await workflow.wait_condition(lambda: task.done() or self._book.all_resolved)
        if task.done():
            return task.result()
        if finishes_in and workflow.patched(MAY_FINISH):
            await workflow.wait([task], timeout=finishes_in.total_seconds())
        task.cancel()
        await workflow.wait([task])
        raise IncidentOver(Outcome.SELF_RESOLVED, "every alert resolved by itself; nothing was changed")

    def _enter(self, status: Status, *more: SearchAttributeUpdate[Any]) -> None:
        self._log.enter(status, self._book.severity, *more)


def _told(record: ExecutionRecord) -> str:
    return ", ".join(f"{s.step_id} {s.action} {s.status}" + (f" ({s.detail})" if s.detail else "") for s in record.steps)
