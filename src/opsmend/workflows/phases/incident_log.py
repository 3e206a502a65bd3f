"""What an incident run knows of itself: its state, told as it goes to queries, to the Temporal UI and to people."""

from datetime import datetime
from typing import Any, Final

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate

with workflow.unsafe.imports_passed_through():
    from opsmend.domain.alert import Severity
    from opsmend.domain.budget import Usage
    from opsmend.domain.call import Call, CallReason
    from opsmend.domain.call_ledger import CallLedger
    from opsmend.domain.incident import IncidentState, Outcome, Status, TimelineEntry
    from opsmend.errors import bounded

from opsmend.workflows import search_attributes

_CALLED_FOR: Final = {Outcome.ESCALATED: CallReason.NEEDS_PERSON, Outcome.ROLLED_BACK: CallReason.ROLLED_BACK}
"""Outcomes that leave the problem to people."""


class IncidentOver(Exception):
    """The incident has its outcome.

    `look_again`: not because of its target but because nobody could look at it or reach it. `reason`: what people are called
    for, where the outcome does not say it. `known`: nobody has to be called, as a person brought the end about or was called
    before.
    """

    def __init__(
        self,
        outcome: Outcome,
        why: str,
        *,
        look_again: bool = False,
        reason: CallReason | None = None,
        known: bool = False,
    ) -> None:
        super().__init__(why)
        self.outcome = outcome
        self.why = why
        self.look_again = look_again
        self.call = None if known else reason or _CALLED_FOR.get(outcome)


class IncidentLog:
    """The state of one run. `revision` counts what people should be told of; `due` is the call to tell them with.

    `unheard` is the newest call, until somebody is known to have got it: chat or a pager has taken it. `silent_since` is when
    the first of those was made that nobody has got.
    """

    def __init__(
        self,
        state: IncidentState,
        due: Call | None = None,
        unheard: Call | None = None,
        silent_since: datetime | None = None,
        *,
        untold: bool = False,
    ) -> None:
        self.state = state
        self.revision = int(untold)
        self.due = due
        self.unheard = unheard
        self.silent_since = silent_since

    def set(self, **changes: Any) -> None:
        self.state = self.state.model_copy(update=changes)

    def enter(self, status: Status, severity: Severity, *more: SearchAttributeUpdate[Any]) -> None:
        self.set(status=status)
        keys = [
            *more,
            search_attributes.STATUS.value_set(status.value),
            search_attributes.SEVERITY.value_set(severity.value),
        ]
        if self.state.outcome:
            keys.append(search_attributes.OUTCOME.value_set(self.state.outcome.value))
        workflow.upsert_search_attributes(keys)
        workflow.set_current_details(_details(self.state))
        self.revision += 1

    def call(self, reason: CallReason, text: str, until: datetime | None = None) -> None:
        """A person is needed: the next telling notifies. A call that is still due gives way to this one."""
        now = workflow.now()
        self.due = self.unheard = Call(
            reason=reason, text=bounded(text), key=f"{reason}:{now.isoformat()}", at=now, until=until
        )
        self.silent_since = self.silent_since or now
        self.revision += 1

    def heard(self, call: Call | None) -> None:
        """Somebody got `call` and all before it, or can get them no more."""
        if self.unheard is call:
            self.unheard = self.silent_since = None
        elif self.unheard:
            self.silent_since = self.unheard.at

    def note(self, event: str, detail: str) -> None:
        """Something that happened; while a call is due, people are told at once."""
        entry = TimelineEntry(at=workflow.now(), event=event, detail=detail)
        self.set(timeline=(*self.state.timeline, entry))
        workflow.logger.info(event, extra={"incident_id": self.state.id, "detail": detail})
        workflow.set_current_details(_details(self.state))
        if self.due:
            self.revision += 1

    def note_once(self, event: str, detail: str) -> None:
        """What may happen again and again in the same way: it is no news until something else happened."""
        last = self.state.timeline[-1] if self.state.timeline else None
        if last is None or (last.event, last.detail) != (event, detail):
            self.note(event, detail)

    def bill(self, agent: str, work: str, usage: Usage, calls: CallLedger) -> None:
        """What `agent` has used for `work`, e.g. `sre:2`."""
        self.set(usage=self.state.usage + usage)
        if calls.calls:
            before = self.state.calls.get(agent, CallLedger())
            self.set(calls={**self.state.calls, agent: before + calls})
            self.note("api.called", f"{work} asked the Kubernetes API: {calls}")


def root_of(failure: BaseException) -> str:
    """The first error of a chain, as a sentence."""
    while failure.__cause__ is not None:
        failure = failure.__cause__
    return str(failure) or type(failure).__name__


def _details(state: IncidentState) -> str:
    """What the Temporal UI shows as the current details: markdown, for someone who has never seen the code."""
    lines = [f"**{state.status}**" + (f" → **{state.outcome}**: {state.closing}" if state.outcome else "")]
    if state.diagnosis:
        lines.append(f"Cause: {state.diagnosis.summary}")
    if state.plan:
        lines.append(f"Plan `{state.plan.short_hash}`: {state.plan.summary}")
    if state.approval:
        lines.append(f"{state.approval.decision} by {state.approval.by}")
    lines += [f"- {entry.at:%H:%M:%S} `{entry.event}` {entry.detail}" for entry in state.timeline[-8:]]
    return "\n\n".join(lines)
