"""`/opsmend pause`, `resume`, `changes`: whether opsmend may change anything now."""

import asyncio
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import structlog
from slack_bolt.async_app import AsyncAck

from opsmend.adapters.slack.answers import steering_sentence_for
from opsmend.adapters.slack.changes import changes_report, paused, resumed
from opsmend.adapters.slack.chat import SlackChat
from opsmend.adapters.slack.interactions import SlashCommand, command_in
from opsmend.adapters.slack.message import Message
from opsmend.adapters.slack.people import People
from opsmend.adapters.slack.telling import Teller
from opsmend.domain.change_control import LONGEST_REASON, PauseRequest, ResumeRequest
from opsmend.domain.ports.change_control import ChangeControl
from opsmend.domain.record import JsonObject
from opsmend.errors import OpsmendError
from opsmend.policy.reasons import kept_reason

log = structlog.get_logger(__name__)

COMMAND: Final = "/opsmend"

HELP: Final = (
    f"`{COMMAND} pause [reason]` pauses all changes: no new step is made until somebody resumes. A step that has begun is "
    "finished or undone, and investigations go on.\n"
    f"`{COMMAND} resume` allows changes again.\n"
    f"`{COMMAND} changes` shows whether changes are paused, and which objects are held for people."
)


class Verb(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    CHANGES = "changes"


class ChangeCommands:
    """The listener. It acknowledges first; the workflow that keeps the pause asks policy about the person.

    Only who gave the command reads the answer. A pause and a resume are also told to the channel of incidents, if there is one.
    """

    def __init__(self, control: ChangeControl, people: People, teller: Teller, chat: SlackChat | None) -> None:
        self._control = control
        self._people = people
        self._teller = teller
        self._chat = chat

    async def take(self, ack: AsyncAck, body: JsonObject) -> None:
        verb, reason = _asked(str(body.get("text") or ""))
        if verb is None:
            await ack(text=HELP, response_type="ephemeral")
        elif len(reason) > LONGEST_REASON:
            await ack(text=_too_long(reason), response_type="ephemeral")
        else:
            await ack()
            await self._obey(verb, reason, command_in(body))

    async def _obey(self, verb: Verb, reason: str, command: SlashCommand) -> None:
        try:
            match verb:
                case Verb.PAUSE:
                    await self._pause(reason, command)
                case Verb.RESUME:
                    await self._resume(command)
                case Verb.CHANGES:
                    await self._show(command)
        except OpsmendError as refusal:
            log.info("slack.command_refused", user=command.user_id, refusal=type(refusal).__name__, detail=str(refusal))
            await self._answer(command, steering_sentence_for(refusal))

    async def _pause(self, reason: str, command: SlashCommand) -> None:
        person = await self._people.person(command.user)
        state = await self._control.pause(PauseRequest(by=person, reason=kept_reason(reason, LONGEST_REASON)))
        log.warning("changes.paused", user=person.id)
        said = [self._answer(command, changes_report(state))]
        if state.pause and (state.pause.by.via, state.pause.by.id) == (person.via, person.id):
            # A pause of somebody else stands as it is, and was told when it began.
            said.append(self._announce(command, paused(state.pause), state.pause.at))
        await asyncio.gather(*said)

    async def _resume(self, command: SlashCommand) -> None:
        person = await self._people.person(command.user)
        state = await self._control.resume(ResumeRequest(by=person))
        log.warning("changes.resumed", user=person.id)
        await asyncio.gather(
            self._answer(command, changes_report(state)),
            self._announce(command, resumed(person, command.trigger_id), datetime.now(UTC)),
        )

    async def _show(self, command: SlashCommand) -> None:
        await self._people.must_be_ours(command.user)
        await self._answer(command, changes_report(await self._control.state()))

    async def _answer(self, command: SlashCommand, text: str) -> None:
        await self._teller.answer(command.user_id, command.response_url, text)

    async def _announce(self, command: SlashCommand, message: Message, since: datetime) -> None:
        if self._chat:
            await self._teller.announce(command.user_id, self._chat, message, since)


def _asked(text: str) -> tuple[Verb | None, str]:
    """The verb, None for nonsense, and the reason: only a pause has one."""
    verb, _, rest = " ".join(text.split()).partition(" ")
    try:
        asked = Verb(verb.lower())
    except ValueError:
        return None, ""
    return (asked, rest) if asked is Verb.PAUSE or not rest else (None, "")


def _too_long(reason: str) -> str:
    return f"Nothing was paused: a reason has at most {LONGEST_REASON} characters, and yours has {len(reason)}. Shorten it."
