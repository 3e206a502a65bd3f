"""The Aftermath workflow: what an incident left to do because a new outbreak of its target began, or somebody cancelled it.

It is waited for by nobody, so chat and memory may be away for as long as they are: nothing is lost, and nothing is held up.
"""

import asyncio
from contextlib import suppress
from datetime import datetime

from pydantic import AwareDatetime
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from opsmend.activities.incidents import IncidentActivities, PostMortemRequest, Published, PublishRequest
    from opsmend.activities.paging import PageRequest, PagingActivities, ResolveRequest
    from opsmend.agents.patience import NOTIFY, on
    from opsmend.agents.queues import CONNECTORS
    from opsmend.domain.call import OUTLIVES_ITS_ALERTS, Call
    from opsmend.domain.incident import IncidentState
    from opsmend.domain.ports.chat import MessageRef
    from opsmend.domain.record import Handed, View

from opsmend.workflows.phases.paging import until_chat_is_away


class AftermathRequest(Handed, View):
    """Of a closed incident. `told` says whether people saw this state of it, `remembered` whether memory has it."""

    state: IncidentState
    message: MessageRef | None
    call: Call | None = None
    """The call that chat has not taken yet."""
    unheard: Call | None = None
    silent_since: AwareDatetime | None = None
    """See IncidentLog."""
    told: bool
    remembered: bool
    paged: bool = False
    """Whether a page has to be taken back."""


@workflow.defn(name="Aftermath")
class Aftermath:
    """Waits on nothing but its activities, each for two weeks; in a storm on room for its message; and on chat that is away,
    before it pages."""

    def __init__(self) -> None:
        self._told = False
        self._heard = False
        """Whether chat has notified people."""

    @workflow.run
    async def run(self, request: AftermathRequest) -> None:
        state = await self._with_postmortem(request.state)
        await asyncio.gather(
            self._tell(request.model_copy(update={"state": state})),
            self._remember(state, known=request.remembered),
            self._see_to_pages(request.model_copy(update={"state": state})),
        )

    async def _with_postmortem(self, state: IncidentState) -> IncidentState:
        if state.postmortem is not None:
            return state
        postmortem = await workflow.execute_activity_method(
            IncidentActivities.write_postmortem,
            PostMortemRequest(incident_id=state.id, run_id=state.run_id, state=state),
            **on(CONNECTORS, NOTIFY, "Write the post-mortem"),
        )
        return state.model_copy(update={"postmortem": postmortem})

    async def _tell(self, request: AftermathRequest) -> None:
        if request.told:
            self._told = True
            return
        state = request.state
        while True:
            published: Published = await workflow.execute_activity_method(
                IncidentActivities.publish_incident,
                PublishRequest(
                    incident_id=state.id,
                    run_id=state.run_id,
                    state=state,
                    message=request.message,
                    may_wait=True,
                    call=request.call,
                ),
                **on(CONNECTORS, NOTIFY, f"Tell people how it ended: {state.outcome}"),
            )
            if not published.wait:
                self._told, self._heard = True, published.message is not None
                return
            await workflow.sleep(published.wait, summary="until there is room for a new message")

    async def _see_to_pages(self, request: AftermathRequest) -> None:
        """A pager knows one page of an incident: taking back an earlier call would take back what somebody must come for."""
        somebody_must_come = await self._page(request.state, request.unheard, request.silent_since)
        if request.paged and not somebody_must_come:
            await self._take_page_back(request.state)

    async def _page(self, state: IncidentState, call: Call | None, silent_since: datetime | None) -> bool:
        """While chat is away, for what opsmend left behind: nobody is needed for the rest any more. Whether it paged."""
        if call is None or call.reason not in OUTLIVES_ITS_ALERTS:
            return False
        left = until_chat_is_away(call, silent_since)
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._told, timeout=left, timeout_summary="until chat counts as away")
        if self._heard:
            return False
        await workflow.execute_activity_method(
            PagingActivities.trigger,
            PageRequest(incident_id=state.id, run_id=state.run_id, state=state, call=call),
            **on(CONNECTORS, NOTIFY, f"Page somebody: {call.reason}"),
        )
        return True

    async def _take_page_back(self, state: IncidentState) -> None:
        await workflow.execute_activity_method(
            PagingActivities.resolve,
            ResolveRequest(incident_id=state.id, run_id=state.run_id, state=state),
            **on(CONNECTORS, NOTIFY, "Take the page back"),
        )

    async def _remember(self, state: IncidentState, *, known: bool) -> None:
        if known or state.postmortem is None:
            return
        await workflow.execute_activity_method(
            IncidentActivities.remember_postmortem,
            state.postmortem,
            **on(CONNECTORS, NOTIFY, "Keep the post-mortem for the next incident"),
        )
