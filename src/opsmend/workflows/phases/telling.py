"""Telling people: one task publishes the newest state whenever something changed."""

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from opsmend.activities.incidents import IncidentActivities, Published, PublishRequest
    from opsmend.agents.patience import NOTIFY, on
    from opsmend.agents.queues import CONNECTORS
    from opsmend.domain.call import Call
    from opsmend.domain.ports.chat import MessageRef

from opsmend.workflows.phases.incident_log import IncidentLog, root_of


class Telling:
    """`message` is where the one message of the incident stands, once it does."""

    def __init__(self, log: IncidentLog, message: MessageRef | None = None) -> None:
        self._log = log
        self.message = message
        self.call: Call | None = None
        """The call that is being made at the moment."""
        self.has_no_channel = False
        """Whether chat is a terminal's log, which notifies nobody."""
        self.concluded = False
        """Whether nothing will change any more."""
        self._published = 0

    @property
    def up_to_date(self) -> bool:
        return self._log.revision <= self._published

    def conclude(self) -> None:
        self.concluded = True

    async def keep_people_told(self) -> None:
        """Until it is concluded and told."""
        while True:
            await workflow.wait_condition(lambda: not self.up_to_date or self.concluded)
            if self.up_to_date:
                return
            await self._publish()

    async def _publish(self) -> None:
        revision, self.call, self._log.due = self._log.revision, self._log.due, None
        try:
            published: Published = await workflow.execute_activity_method(
                IncidentActivities.publish_incident,
                PublishRequest(
                    incident_id=self._log.state.id,
                    run_id=self._log.state.run_id,
                    state=self._log.state,
                    message=self.message,
                    may_wait=True,
                    call=self.call,
                ),
                **on(CONNECTORS, NOTIFY, f"Tell people: {self._log.state.status}"),
            )
        except FailureError as failure:
            if is_cancelled_exception(failure):
                raise
            self._log.note("chat.failed", root_of(failure))
        else:
            if published.wait:
                if self.call:  # it was needed no more: a call that is does not wait
                    self._log.heard(self.call)
                self.call = None
                await self._wait_for_room(published.wait)
                return
            self.message = published.message
            self.has_no_channel = published.message is None
            if published.message and not self._log.due:
                self._log.heard(self._log.unheard)  # chat is there; what an earlier incident could not tell is told as well
            elif published.message and self.call:
                self._log.heard(self.call)
        self.call = None
        self._published = revision

    async def _wait_for_room(self, wait: timedelta) -> None:
        """In a storm. A call does not wait."""
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._log.due is not None, timeout=wait, timeout_summary="until there is room for a new message"
            )
