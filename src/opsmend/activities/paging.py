"""Calling people over the second channel, and taking the page back."""

from typing import Final

from temporalio import activity

from opsmend.activities.about_incident import AboutIncident, state_of, still_needed
from opsmend.domain.call import Call
from opsmend.domain.incident import IncidentState
from opsmend.domain.ports.desk import IncidentDesk
from opsmend.domain.ports.pager import Page, Paged, PageOver, Pager
from opsmend.policy.outgoing import line

_SENTENCE: Final = 500
"""Characters of one text: a phone shows fewer."""
_NAME: Final = 200
_SHOWN_ALERTS: Final = 5


class PageRequest(AboutIncident):
    call: Call


class ResolveRequest(AboutIncident):
    """Nobody is needed any more: the problem is gone, or its alerts have resolved."""


class PagingActivities:
    def __init__(self, desk: IncidentDesk, pager: Pager) -> None:
        self._desk = desk
        self._pager = pager

    @activity.defn(name="pager.trigger")
    async def trigger(self, request: PageRequest) -> Paged:
        """Page somebody, unless the question was answered meanwhile. Twice is harmless: a pager that has taken the page is not
        asked again, and one whose answer was lost knows the page by the incident and the call's key."""
        state = await state_of(request, self._desk)
        if not still_needed(request.call, request.state, state):
            return Paged()
        return await self._pager.trigger(_page(state, request.call, self._link(request)))

    @activity.defn(name="pager.resolve")
    async def resolve(self, request: ResolveRequest) -> Paged:
        """Take the page back. Twice is harmless: what is resolved stays resolved."""
        state = await state_of(request, self._desk)
        return await self._pager.resolve(_over(state, self._link(request)))

    def _link(self, request: AboutIncident) -> str:
        return self._desk.ui_link(request.incident_id, request.run_id)


def _page(state: IncidentState, call: Call, temporal_ui: str) -> Page:
    return Page(
        incident_id=state.id,
        run_id=state.run_id,
        key=call.key,
        reason=call.reason,
        severity=state.severity,
        cluster=state.target.cluster,
        target=state.target.ref,
        summary=line(state.in_short, _SENTENCE),
        text=line(call.text, _SENTENCE),
        needed=line(call.needed, _SENTENCE),
        alerts=tuple(line(alert.name, _NAME) for alert in state.alerts[:_SHOWN_ALERTS]),
        plan=line(state.plan.summary, _SENTENCE) if state.plan else "",
        at=call.at,
        temporal_ui=temporal_ui,
    )


def _over(state: IncidentState, temporal_ui: str) -> PageOver:
    return PageOver(
        incident_id=state.id,
        run_id=state.run_id,
        cluster=state.target.cluster,
        target=state.target.ref,
        outcome=state.outcome,
        summary=line(state.in_short, _SENTENCE),
        at=state.closed_at or activity.info().scheduled_time,
        temporal_ui=temporal_ui,
    )
