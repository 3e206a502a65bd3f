"""How the bench learns, at once and for free, that an incident asks for approval: the chat of its workers writes to a pipe.

Polling for the question would cost the worker queries that no real channel costs it, and would blur the wall time.
"""

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path

from opsmend.domain.incident import Status
from opsmend.domain.ports.chat import Alarm, MessageRef, Notice, StormDigest
from opsmend.domain.record import Record


class Question(Record):
    incident_id: str
    plan_hash: str


class QuestionsToPipe:
    """The Chat of a measured worker. Each incident run has one message, as in Slack."""

    def __init__(self, path: Path) -> None:
        self._pipe = os.open(path, os.O_WRONLY)
        self._asked: set[str] = set()

    async def publish(self, notice: Notice) -> MessageRef:
        state = notice.state
        if state.status is Status.AWAITING_APPROVAL and state.plan and state.plan.hash not in self._asked:
            self._asked.add(state.plan.hash)
            question = Question(incident_id=state.id, plan_hash=state.plan.hash)
            # One line is shorter than PIPE_BUF, so it is written whole.
            os.write(self._pipe, question.model_dump_json().encode() + b"\n")
        return MessageRef(channel="bench", ts=state.run_id)

    async def tell_digest(self, digest: StormDigest, message: MessageRef | None) -> MessageRef | None:
        """New messages have no limit here."""
        return message

    async def raise_alarm(self, alarm: Alarm) -> None:
        """Nobody listens; there is no watchdog to raise one."""


class Questions:
    """The reading end."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def next(self) -> Question:
        return Question.model_validate_json(await self._reader.readline())


async def open_questions(stack: AsyncExitStack, path: Path) -> Questions:
    """Make the pipe. Opened for both ways, so that it has neither to wait for a writer nor ends with one."""
    os.mkfifo(path)
    reader = asyncio.StreamReader()
    pipe = os.fdopen(os.open(path, os.O_RDWR | os.O_NONBLOCK), "rb", buffering=0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    stack.callback(transport.close)
    return Questions(reader)
