"""Looking after the workflows from outside, and calling people where one does not go on."""

from temporalio import activity

from opsmend.domain.ports.chat import Alarm, Chat
from opsmend.domain.ports.desk import IncidentDesk
from opsmend.domain.ports.runs import Runs, StalledRun
from opsmend.domain.record import Handed, Record


class LookAround(Handed):
    """Nothing needs to be said."""


class CallPeople(Handed):
    alarm: Alarm


class Seen(Record):
    stalled: tuple[StalledRun, ...]


class Freed(Record):
    """Ids of the locks."""

    locks: tuple[str, ...]


class WatchdogActivities:
    def __init__(self, runs: Runs, chat: Chat, desk: IncidentDesk) -> None:
        self._runs = runs
        self._chat = chat
        self._desk = desk

    @activity.defn(name="watchdog.find_stalled")
    async def find_stalled(self, request: LookAround) -> Seen:
        """Reads only, so twice is harmless."""
        return Seen(stalled=await self._runs.stalled())

    @activity.defn(name="watchdog.free_locks")
    async def free_locks(self, request: LookAround) -> Freed:
        """Twice is harmless: a lock is released by the run that stands for it, and that ends once."""
        return Freed(locks=await self._runs.free_locks_of_the_gone())

    @activity.defn(name="watchdog.call_people")
    async def call_people(self, request: CallPeople) -> None:
        """Twice is harmless: the chat finds the message of an earlier try by the alarm's key."""
        link = self._desk.ui_link(request.alarm.workflow_id, request.alarm.run_id)
        await self._chat.raise_alarm(request.alarm.model_copy(update={"temporal_ui": link}))
