"""The Incident workflow: one problem of one target, from its first alert to its post-mortem."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, NoReturn

from temporalio import workflow
from temporalio.common import RawValue, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from opsmend.domain.agent_tasks import RunStopped
    from opsmend.domain.alert import Alert, AlertStatus
    from opsmend.domain.alert_book import AlertBook, KeptAlerts
    from opsmend.domain.approval import Answer, Approval, DecisionRecorded, DecisionRequest, Person
    from opsmend.domain.incident import (
        MOST_ALERTS,
        AlertsReceived,
        IncidentClosed,
        IncidentState,
        Outcome,
        Status,
    )
    from opsmend.domain.opened import Continuation, IncidentOpened
    from opsmend.domain.plan import Plan
    from opsmend.domain.ports.artifacts import ArtifactRef
    from opsmend.domain.shared_cause import CauseHeld, CauseOver, CauseShared
    from opsmend.domain.state_size import fitting
    from opsmend.domain.steering import Snooze, Steered, Stop, TakeOver
    from opsmend.domain.target import Kind, Target
    from opsmend.domain.verdict import Autonomy, SecurityVerdict
    from opsmend.domain.verification import Baseline
    from opsmend.errors import OpsmendError, bounded

from opsmend.workflows import search_attributes
from opsmend.workflows.agent_runs import RUN_STOPPED
from opsmend.workflows.incoming import read
from opsmend.workflows.phases.closing import Closing
from opsmend.workflows.phases.crew import Crew
from opsmend.workflows.phases.finding_out import FindingOut
from opsmend.workflows.phases.fixing import Fixing
from opsmend.workflows.phases.grouping import Grouping
from opsmend.workflows.phases.guests import Guests
from opsmend.workflows.phases.incident_log import IncidentLog, IncidentOver, root_of
from opsmend.workflows.phases.interruptions import HistoryFullError, Interruptions, called_off
from opsmend.workflows.phases.listening import Listening
from opsmend.workflows.phases.paging import Paging
from opsmend.workflows.phases.proposing import Proposing
from opsmend.workflows.phases.question import Question
from opsmend.workflows.phases.sitting_out import SittingOut
from opsmend.workflows.phases.steering import Steering
from opsmend.workflows.phases.telling import Telling
from opsmend.workflows.shared_cause import CAUSE_HELD, CAUSE_OVER, CAUSE_SHARED, Causes
from opsmend.workflows.target_lock import TargetLockedError, TargetLocks, locked

ALERTS_RECEIVED: Final = "alerts_received"
"""The signal that brings alerts, with an AlertsReceived."""

MOST_PLANS: Final = 3
"""Plans of one incident: a world that has gone stale under three of them changes too fast for us."""

MOST_TIMELINE_ALERTS: Final = 100
"""Timeline entries after which further alerts are only counted: a storm must not push the story out of the state."""

_STAYS_WITH_US: Final = frozenset({Outcome.ESCALATED, Outcome.ROLLED_BACK})
"""Outcomes with which a shared cause is not gone: people know of it from this incident, and hear of it from no other."""

LAST_WORD: Final = timedelta(seconds=10)
"""What a stopped incident waits until people were told; then others tell them."""

ASKS_ALONE: Final = "one-question-about-an-object-at-a-time"
"""Patch: runs that began before it hold the locks of their objects only while they change them. It can go once no run is older
than 0.2."""

HANDS_CHORES_OVER: Final = "chores-do-not-hold-up-a-new-outbreak"
"""Patch: runs that began before it end only once all is told and remembered. It can go as the other."""

COMPENSATES: Final = "a-cancelled-incident-undoes-what-it-changed"
"""Patch: runs that were cancelled before it ended at once, and left what they had changed. It can go as the others."""

ENDS_FIRINGS: Final = "a-firing-without-a-start-ends-when-it-resolves"
"""Patch: runs that began before it take such an alert that fires again for a resend. It can go as the others."""

HANDS_BACK_FIRST: Final = "guests-are-handed-back-while-people-can-be-called"
"""Patch: runs that began before it hand guests back only once nobody is told anything more. It can go as the others."""


@workflow.defn(name="Incident")
class IncidentWorkflow:
    """One target's problem, first alert to post-mortem. Waits on: alerts, a decision, the target lock, timers."""

    @workflow.init
    def __init__(self, opened: IncidentOpened) -> None:
        self._opened = opened
        self._terms = opened.patience
        self._resumed = opened.goes_on is not None
        begun = _goes_on(opened.goes_on) if opened.goes_on else _just_begun(opened)
        self._book = AlertBook(opened.target, begun.alerts)
        self._log = IncidentLog(begun.state, begun.due, begun.unheard, begun.silent_since, untold=not begun.told)
        self._locks = TargetLocks(begun.locks)
        self._interruptions = Interruptions(self._book, self._locks)
        self._interruptions.stopped, self._interruptions.ended = begun.stopped, begun.ended
        self._interruptions.stands_back = begun.stands_back
        self._crew = Crew(self._log, self._book, self._interruptions, opened.budget, opened.patience, begun.runs)
        self._sitting_out = SittingOut(self._log, self._book, self._interruptions, begun.sat_out)
        self._causes = Causes(begun.causes)
        self._grouping = Grouping(self._log, self._book, self._interruptions, self._causes, begun.grouped)
        self._finding_out = FindingOut(
            self._log,
            self._interruptions,
            self._crew,
            self._sitting_out,
            self._grouping,
            self._terms,
            read_only=opened.read_only,
        )
        self._finding_out.snapshot, self._finding_out.watched = begun.snapshot, begun.watched
        self._proposing = Proposing(self._log, self._book, self._crew)
        self._question = Question(self._log, self._interruptions, self._terms, begun.asked)
        self._steering = Steering(self._log, self._interruptions, self._question)
        self._fixing = Fixing(self._log, self._book, self._interruptions, self._crew, self._terms)
        self._guests = Guests(self._log, self._book, self._finding_out.look_again)
        self._listening = Listening(
            self._log,
            self._book,
            self._interruptions,
            self._guests,
            self._terms,
            self._finding_out.look_again,
            begun.listened,
        )
        self._telling = Telling(self._log, begun.message)
        self._paging = Paging(self._log, self._telling, paged=begun.paged)
        self._closing = Closing(self._log)
        self._attempt = begun.attempt
        self._in_line_since = begun.in_line_since
        self._cancelled = bool(begun.stopped)
        self._take(opened.carried)

    @workflow.run
    async def run(self, opened: IncidentOpened) -> IncidentClosed:
        life = asyncio.create_task(self._live(opened.target))
        self._background = [life]
        while not life.done():
            try:
                await workflow.wait_condition(lambda: any(map(_broke, self._background)) or life.done())
            except asyncio.CancelledError:
                self._cancel(life)
            for task in filter(_broke, self._background):
                task.result()  # a bug: fails this task and not the run, which goes on with a worker that is mended
        if next_run := life.result():
            _continue_as_new(next_run)
        if self._cancelled:
            raise asyncio.CancelledError(self._log.state.closing)
        assert self._log.state.outcome is not None  # noqa: S101 - it was closed
        return IncidentClosed(outcome=self._log.state.outcome, summary=self._log.state.closing)

    async def _live(self, target: Target) -> IncidentOpened | None:
        """The input of the next run, where there has to be one."""
        await workflow.wait_condition(lambda: self._book.received > 0 or bool(self._interruptions.stopped))
        self._telling_people = self._in_background(self._telling.keep_people_told())
        self._paging_people = self._in_background(self._paging.keep_paging())
        self._attending_guests = self._in_background(self._guests.attend())
        try:
            if self._log.state.status is not Status.CLOSED:
                await self._mend_and_close(target)
            return await self._see_out()
        except HistoryFullError:
            return await self._going_on()

    # ── the phases, in the order they happen; each ends by returning or by raising IncidentOver ──────────────────────────

    async def _mend_and_close(self, target: Target) -> None:
        try:
            await self._mend(target)
        except IncidentOver as e:
            over = e
        except FailureError as failure:
            over = IncidentOver(Outcome.ESCALATED, f"could not go on: {root_of(failure)}", look_again=True)
        self._question.withdraw()
        self._book.settle()
        self._interruptions.ended = ""
        if self._opened.read_only:
            over = IncidentOver(Outcome.NO_ACTION, f"{over.why}. This was an investigation on request: nothing was changed")
        await self._closing.close(over.outcome, over.why)
        if over.outcome not in _STAYS_WITH_US:
            await self._grouping.release()
        if over.call:
            self._log.call(over.call, over.why)
        self._enter(Status.CLOSED)
        if over.look_again or over.outcome is Outcome.NO_ACTION:
            self._listening.look_later()

    async def _mend(self, target: Target) -> NoReturn:
        if not self._resumed:
            await self._begin(target)
        elif self._question.asked is None:
            await self._locks.release()
        while self._attempt <= MOST_PLANS:
            baseline = self._question.asked.baseline if self._question.asked else await self._propose()
            try:
                await self._have_it_done(baseline)
            except TargetLockedError as e:
                raise IncidentOver(Outcome.ESCALATED, str(e)) from None
            self._log.note("plan.stale", "the world changed under the plan before anything was done; looking again")
            self._enter(Status.INVESTIGATING)
            self._attempt += 1
        raise IncidentOver(Outcome.ESCALATED, f"the world changed under {MOST_PLANS} plans in a row")

    async def _begin(self, target: Target) -> None:
        # Set here and not by whoever starts the run: attributes of a start would cost every webhook a third of a call.
        self._enter(
            Status.INVESTIGATING,
            search_attributes.TARGET.value_set(str(target)[:200]),
            search_attributes.SOURCE.value_set(self._log.state.alerts[0].source if self._log.state.alerts else ""),
            search_attributes.OUTCOME.value_unset(),  # a run that continues another one inherits its attributes
        )
        await self._interruptions.unless(
            workflow.sleep(self._terms.intake_window, summary="waiting for alerts of the same outbreak")
        )
        if target.kind is Kind.GROUP:
            raise IncidentOver(
                Outcome.ESCALATED, "no target could be derived from the alert's labels, so there is nothing to look at"
            )

    async def _propose(self) -> Baseline:
        """Find out, plan and have it reviewed; how things stand."""
        diagnosis, baseline = await self._finding_out.find_out()
        if self._opened.read_only:
            raise IncidentOver(Outcome.NO_ACTION, diagnosis.summary)
        seen, soon = self._seen, self._terms.finish_within
        plan = await self._interruptions.unless(self._proposing.plan(diagnosis, seen, self._attempt), finishes_in=soon)
        await self._interruptions.unless(self._proposing.review(plan, seen), finishes_in=soon)
        return baseline

    async def _have_it_done(self, baseline: Baseline) -> None:
        """Returns only when nothing was changed."""
        plan, verdict = self._log.state.plan, self._log.state.verdict
        assert plan is not None  # noqa: S101 - it was proposed
        assert verdict is not None  # noqa: S101 - and reviewed
        if workflow.patched(ASKS_ALONE):
            await self._have_it_done_alone(plan, verdict, baseline)
        else:
            approval = await self._interruptions.unless(self._leave_for(plan, verdict, baseline))
            async with locked(self._objects_of(plan), self._terms.lock_deadline):
                await self._fixing.carry_out(plan, approval, baseline, self._seen)

    async def _have_it_done_alone(self, plan: Plan, verdict: SecurityVerdict, baseline: Baseline) -> None:
        """Nobody else asks about the plan's objects or changes them meanwhile.

        Who had to wait for another incident's question looks again: the answer may have mended this one too.
        """
        try:
            if self._question.asked or not await self._had_to_wait_for(plan):
                approval = await self._interruptions.unless(self._leave_for(plan, verdict, baseline))
                await self._fixing.carry_out(plan, approval, baseline, self._seen)
        except (IncidentOver, FailureError, TargetLockedError):
            await self._locks.release()
            raise
        # Not on just any way out: what a bug leaves half done stays locked until a worker that is mended goes on with it.
        await self._locks.release()

    async def _had_to_wait_for(self, plan: Plan) -> bool:
        since = self._in_line_since or workflow.now()

        def in_line(held: str) -> None:
            self._in_line_since = since
            self._log.note("question.waiting", f"another incident asks about {held} or changes it (see workflow lock:{held})")
            self._enter(Status.INVESTIGATING)

        longest = self._terms.expire_after + self._terms.lock_deadline
        waiting = self._locks.acquire(
            self._objects_of(plan), since + longest - workflow.now(), in_line, self._interruptions.check
        )
        waited = await self._interruptions.unless(waiting)
        self._in_line_since = None
        return waited

    def _objects_of(self, plan: Plan) -> list[str]:
        return [f"{self._log.state.target.cluster}:{step.action.target}" for step in plan.steps]

    async def _leave_for(self, plan: Plan, verdict: SecurityVerdict, baseline: Baseline) -> Approval:
        if verdict.policy.autonomy is Autonomy.AUTO:
            by = Person(via="policy", id=", ".join(verdict.policy.policies))
            approval = Approval(plan_hash=plan.hash, decision=Answer.APPROVE, by=by, at=workflow.now())
            self._log.set(approval=approval)
            self._log.note("plan.approved", f"by policy {by.id}")
            return approval
        if not self._question.asked:
            self._question.open(plan, baseline)
            self._enter(Status.AWAITING_APPROVAL)
            self._log.note("approval.asked", f"for plan {plan.short_hash}")
        approval = await self._question.answered()
        if approval.decision is Answer.REJECT:
            rejected = f"{approval.by} rejected the plan" + (f": {approval.reason}" if approval.reason else "")
            raise IncidentOver(Outcome.ESCALATED, rejected, known=True)
        return approval

    # ── after the end ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _see_out(self) -> IncidentOpened | None:
        """Listen for as long as the alert fires on; the input of a new incident, where there has to be one."""
        self._chores = self._in_background(self._closing.chores(watched=self._finding_out.watched))
        look_into_it_anew = not self._opened.read_only and await self._listening.until_over()
        if not self._interruptions.stopped:
            await self._guests.recover()
            if workflow.patched(HANDS_BACK_FIRST):
                await self._guests.hand_back()
        await self._grouping.release()
        self._telling.conclude()
        await self._finish_chores(lambda: look_into_it_anew or bool(self._book.unsettled))
        await workflow.wait_condition(workflow.all_handlers_finished)
        await self._guests.hand_back()
        if look_into_it_anew:
            self._book.unsettle()
        if not self._book.unsettled:
            return None
        # A new outbreak of the same target is a new incident in a new run of the same id.
        carried = (*self._book.unsettled, *self._book.guests)
        return self._opened.model_copy(
            update={
                "settled": self._book.settled,
                "carried": carried,
                "unheard": self._log.unheard,
                "silent_since": self._log.silent_since,
                "goes_on": None,
            }
        )

    async def _finish_chores(self, cannot_wait: Callable[[], bool]) -> None:
        """All is told and remembered, or others see to it."""
        chores = (self._telling_people, self._paging_people, self._chores)

        def finished() -> bool:
            return all(task.done() for task in chores)

        await workflow.wait_condition(lambda: finished() or cannot_wait() or bool(self._interruptions.stopped))
        if not finished() and self._interruptions.stopped:
            with suppress(TimeoutError):
                await workflow.wait_condition(finished, timeout=LAST_WORD, timeout_summary="until people were told")
        if finished():
            return
        if not workflow.patched(HANDS_CHORES_OVER):
            await asyncio.gather(*chores)
            return
        for chore in chores:
            await called_off(chore)
        await self._closing.hand_over(
            self._telling.message,
            self._log.due or self._telling.call,
            told=self._telling.up_to_date,
            paged=self._paging.paged,
            last=bool(self._interruptions.stopped),
        )

    async def _going_on(self) -> IncidentOpened:
        """The same incident with a history of its own. No agent is at work: see Interruptions."""
        for task in self._background[1:]:  # what is left of telling, paging and chores is done in the next run
            await called_off(task)
        await workflow.wait_condition(workflow.all_handlers_finished)
        self._log.set(continued=True)
        goes_on = Continuation(
            state=self._log.state,
            alerts=self._book.kept(),
            runs=self._crew.runs,
            attempt=self._attempt,
            snapshot=self._finding_out.snapshot,
            watched=self._finding_out.watched,
            message=self._telling.message,
            told=self._telling.up_to_date,
            due=self._log.due or self._telling.call,
            unheard=self._log.unheard,
            silent_since=self._log.silent_since,
            paged=self._paging.paged,
            locks=self._locks.held,
            causes=self._causes.held,
            grouped=self._grouping.under,
            in_line_since=self._in_line_since,
            asked=self._question.asked,
            sat_out=self._sitting_out.done,
            listened=self._listening.done,
            stopped=self._interruptions.stopped,
            ended=self._interruptions.ended,
            stands_back=self._interruptions.stands_back,
        )
        return self._opened.model_copy(
            update={"settled": (), "carried": (), "unheard": None, "silent_since": None, "goes_on": goes_on}
        )

    def _cancel(self, life: "asyncio.Task[Any]") -> None:
        if not workflow.patched(COMPENSATES):
            life.cancel()
            return
        self._cancelled = True
        reason = workflow.cancellation_reason()
        self._interruptions.stopped = "its workflow was cancelled" + (f" ({bounded(reason)})" if reason else "")

    # ── alerts, decisions, questions ──────────────────────────────────────────────────────────────────────────────

    @workflow.signal(name=ALERTS_RECEIVED)
    def alerts_received(self, signal: RawValue) -> None:
        received = read(signal, AlertsReceived)
        self._interruptions.signals += 1
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
        self._interruptions.signals += 1
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

    @workflow.update
    async def take_over(self, request: TakeOver) -> Steered:
        """A person sees to it; opsmend stands back."""
        return await self._steer(request.by, lambda: self._steering.take_over(request))

    @workflow.update
    async def stop(self, request: Stop) -> Steered:
        """The incident ends; a change that was made is undone first."""
        return await self._steer(request.by, lambda: self._steering.stop(request))

    @workflow.update
    async def snooze(self, request: Snooze) -> Steered:
        """Nobody is reminded of the question for a while."""
        return await self._steer(request.by, lambda: self._steering.snooze(request))

    async def _steer(self, by: Person, act: Callable[[], str]) -> Steered:
        await self._steering.must_be_operator(by)
        try:
            return Steered(incident_id=self._log.state.id, what=act())
        except OpsmendError as e:
            raise ApplicationError(str(e), type=type(e).__name__, non_retryable=True) from e

    @workflow.signal(name=CAUSE_HELD)
    def cause_held(self, signal: RawValue) -> None:
        self._interruptions.signals += 1
        self._grouping.held_by_another(read(signal, CauseHeld))

    @workflow.signal(name=CAUSE_OVER)
    def cause_over(self, signal: RawValue) -> None:
        self._interruptions.signals += 1
        self._grouping.is_over(read(signal, CauseOver))

    @workflow.signal(name=CAUSE_SHARED)
    def cause_shared(self, signal: RawValue) -> None:
        self._interruptions.signals += 1
        self._grouping.is_shared(read(signal, CauseShared))

    @workflow.signal(name=RUN_STOPPED)
    def run_stopped(self, signal: RawValue) -> None:
        self._interruptions.signals += 1
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
            if alert.starts_at is None and alert.status is AlertStatus.RESOLVED and workflow.patched(ENDS_FIRINGS):
                self._book.end(alert)
        self._log.set(alerts=self._book.alerts[:MOST_ALERTS], alerts_received=self._book.received)
        self._listening.heard()

    def _tell_left_out(self, count: int) -> None:
        """Once for each number: resends of a group leave out the same alerts."""
        if count > self._log.state.alerts_left_out:
            self._log.set(alerts_left_out=count)
            self._log.note("alerts.left_out", f"the sender left out {count} alerts of this group; they may be of other targets")

    # ── bookkeeping ───────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _seen(self) -> ArtifactRef:
        assert self._finding_out.snapshot is not None  # noqa: S101 - an investigation has set it
        return self._finding_out.snapshot

    def _in_background(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._background.append(task)
        return task

    def _enter(self, status: Status, *more: SearchAttributeUpdate[Any]) -> None:
        self._log.enter(status, self._book.severity, *more)


def _goes_on(before: Continuation) -> Continuation:
    state = before.state.model_copy(update={"now_in": workflow.info().run_id, "continued": False})
    return before.model_copy(update={"state": state})


def _just_begun(opened: IncidentOpened) -> Continuation:
    info = workflow.info()
    state = IncidentState(id=info.workflow_id, run_id=info.run_id, target=opened.target, opened_at=workflow.now())
    return Continuation(
        state=state,
        alerts=KeptAlerts(settled=opened.settled),
        unheard=opened.unheard,
        silent_since=opened.silent_since,
    )


def _broke(task: "asyncio.Task[Any]") -> bool:
    """Whether it met a bug. What was called off ends in other ways."""
    failed = task.exception() if task.done() and not task.cancelled() else None
    return failed is not None and not isinstance(failed, FailureError)


def _continue_as_new(opened: IncidentOpened) -> NoReturn:
    if opened.goes_on is None:
        workflow.continue_as_new(opened)
    # Nobody shall find one incident twice, or count its outcome twice.
    known = workflow.info().typed_search_attributes
    values = ((key, known.get(key)) for key in search_attributes.ALL)
    kept = [SearchAttributePair(key, value) for key, value in values if value is not None]
    workflow.upsert_search_attributes(
        [search_attributes.STATUS.value_set(search_attributes.CONTINUED), search_attributes.OUTCOME.value_unset()]
    )
    workflow.continue_as_new(opened, search_attributes=TypedSearchAttributes(kept))
