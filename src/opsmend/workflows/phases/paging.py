"""The second channel: a pager reaches people where chat does not."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from opsmend.activities.paging import PageRequest, PagingActivities, ResolveRequest
    from opsmend.agents.patience import NOTIFY, on
    from opsmend.agents.queues import CONNECTORS
    from opsmend.domain.call import OUTLIVES_ITS_ALERTS, Call
    from opsmend.domain.ports.pager import Paged

from opsmend.workflows.phases.incident_log import IncidentLog, root_of
from opsmend.workflows.phases.telling import Telling

CHAT_IS_AWAY_AFTER: Final = timedelta(minutes=20)
"""A chat that has not taken a call for so long counts as away."""

PAGES: Final = "a-pager-calls-while-chat-is-away"
"""Patch: runs that began before it call people by chat only. It can go once no run is older than 0.2."""


def until_chat_is_away(call: Call, silent_since: datetime | None) -> timedelta:
    """From now on; zero where it is away already. `silent_since`: see IncidentLog."""
    return max((silent_since or call.at) + CHAT_IS_AWAY_AFTER - workflow.now(), timedelta(0))


class Paging:
    """`paged` says whether some pager has called people. It takes that back at the end, once."""

    def __init__(self, log: IncidentLog, telling: Telling, *, paged: bool) -> None:
        self._log = log
        self._telling = telling
        self.paged = paged

    async def keep_paging(self) -> None:
        """Until the incident is concluded: then nobody is needed any more, except for what opsmend left behind."""
        while True:
            await workflow.wait_condition(lambda: self._log.unheard is not None or self._telling.concluded)
            call = self._log.unheard
            if call is None or self._is_over(call):
                break
            if not workflow.patched(PAGES):
                self._log.heard(call)
            elif await self._chat_does_not_take(call):
                await self._page(call)
        if self.paged:
            await self._take_back()

    async def _chat_does_not_take(self, call: Call) -> bool:
        """Waits for it, and no longer because it took none of the calls before either."""

        def over() -> bool:
            return self._log.unheard is not call or self._telling.has_no_channel or self._is_over(call)

        left = until_chat_is_away(call, self._log.silent_since)
        with suppress(TimeoutError):
            await workflow.wait_condition(over, timeout=left, timeout_summary="until chat counts as away")
        return self._log.unheard is call and not self._is_over(call)

    def _is_over(self, call: Call) -> bool:
        return self._telling.concluded and call.reason not in OUTLIVES_ITS_ALERTS

    async def _page(self, call: Call) -> None:
        state = self._log.state
        try:
            paged: Paged = await workflow.execute_activity_method(
                PagingActivities.trigger,
                PageRequest(incident_id=state.id, run_id=state.run_id, state=state, call=call),
                **on(CONNECTORS, NOTIFY, f"Page somebody: {call.reason}"),
            )
        except FailureError as failure:
            if is_cancelled_exception(failure):
                raise
            self._log.note("pager.failed", root_of(failure))
        else:
            # Whoever comes for what opsmend left behind says themselves when that is over.
            self.paged = (self.paged or bool(paged.by)) and call.reason not in OUTLIVES_ITS_ALERTS
            if paged.by or paged.refused:
                self._log.note(
                    "pager.triggered", "; ".join([f"{call.reason} by {', '.join(paged.by) or 'none'}", *paged.refused])
                )
        self._log.heard(call)

    async def _take_back(self) -> None:
        state = self._log.state
        try:
            await workflow.execute_activity_method(
                PagingActivities.resolve,
                ResolveRequest(incident_id=state.id, run_id=state.run_id, state=state),
                **on(CONNECTORS, NOTIFY, "Take the page back"),
            )
        except FailureError as failure:
            if is_cancelled_exception(failure):
                raise
            self._log.note("pager.failed", root_of(failure))
        self.paged = False
