"""The FirstMessages workflow: one for the whole installation. It runs as long as opsmend is used.

It limits new messages in chat, and keeps the digest of those that have to wait.
"""

from datetime import datetime, timedelta
from typing import Final

from pydantic import AwareDatetime, Field
from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from opsmend.activities.storm import DigestRequest, DigestTold, StormActivities
    from opsmend.agents.patience import SOON, on
    from opsmend.agents.queues import CONNECTORS
    from opsmend.domain import first_messages
    from opsmend.domain.first_messages import Line
    from opsmend.domain.ports.chat import MessageRef, StormDigest
    from opsmend.domain.record import Handed, Record
    from opsmend.domain.untold import Untold

from opsmend.workflows.phases.incident_log import root_of

FIRST_MESSAGES_ID: Final = "opsmend-first-messages"


class FirstMessagesOpened(Handed):
    """Input. The rest is that of the run before; after `most_events` of history a new run goes on with it."""

    line: Line = Line()
    since: AwareDatetime | None = None
    message: MessageRef | None = None
    every: timedelta = timedelta(seconds=15)
    """Between two edits of the digest. Slack takes some fifty edits a minute from all of an app, and incidents have theirs."""
    within: timedelta = first_messages.MINUTE
    """The time within which so many messages may be posted as the setting allows."""
    most_events: int = 5_000


class RoomAsked(Record):
    incident: Untold
    per_minute: int = Field(ge=1)


class RoomGiven(Record):
    """`wait` is zero where the message may be posted now."""

    wait: timedelta


@workflow.defn(name="FirstMessages")
class FirstMessagesWorkflow:
    """Waits on: updates of incidents that have no message yet; while some wait, its timer."""

    @workflow.init
    def __init__(self, opened: FirstMessagesOpened) -> None:
        self._line = opened.line
        self._since: datetime | None = opened.since
        self._message = opened.message
        self._within = opened.within
        self._shown: StormDigest | None = None

    @workflow.run
    async def run(self, opened: FirstMessagesOpened) -> None:
        while not self._is_long(opened.most_events):
            await workflow.wait_condition(lambda: self._since is not None or self._is_long(opened.most_events))
            if self._since is not None:
                await self._keep_digest(self._since)
                await workflow.sleep(opened.every, summary="until the digest is edited again")
        await workflow.wait_condition(workflow.all_handlers_finished)
        carried = {"line": self._line, "since": self._since, "message": self._message}
        workflow.continue_as_new(opened.model_copy(update=carried))

    @workflow.update
    def ask(self, asked: RoomAsked) -> RoomGiven:
        """Whether the incident's first message may be posted now."""
        now = workflow.now()
        self._line, wait = first_messages.ask(self._line, asked.incident, asked.per_minute, now, self._within)
        if wait:
            self._since = self._since or now
        return RoomGiven(wait=wait)

    @workflow.signal
    def told(self, run_id: str) -> None:
        """The incident has called, and so has a message."""
        self._line = first_messages.without(self._line, run_id)

    def _is_long(self, most_events: int) -> bool:
        info = workflow.info()
        return info.is_continue_as_new_suggested() or info.get_current_history_length() > most_events

    async def _keep_digest(self, since: datetime) -> None:
        """Once nobody waits any more it says so for a last time, and the next storm gets a digest of its own."""
        self._line = first_messages.without_the_gone(self._line, workflow.now())
        digest = first_messages.digest(self._line, since)
        if digest == self._shown:
            return
        try:
            told: DigestTold = await workflow.execute_activity_method(
                StormActivities.tell_digest,
                DigestRequest(digest=digest, message=self._message),
                **on(CONNECTORS, SOON, f"Tell of {digest.waiting} incidents in one message"),
            )
        except FailureError as failure:
            if is_cancelled_exception(failure):
                raise
            workflow.logger.warning("digest.failed", extra={"why": root_of(failure)})
            return
        self._shown, self._message = digest, told.message
        if not digest.waiting and not self._line.waiting:
            self._shown = self._message = self._since = None
